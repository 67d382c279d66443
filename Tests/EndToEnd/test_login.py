"""`snikket status --login`: somebody logs in the whole way, and nothing of them stays."""

import json
import os
import signal
import urllib.request
from contextlib import suppress

import pytest

from world.appliance import Appliance, without_pebble
from world.stage import peopled
from world.stream import Refused, sign_in
from world.waiting import until


@pytest.fixture(scope="module")
def appliance():
    with without_pebble("login", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        peopled(appliance.started())
        yield appliance


def names(appliance: Appliance) -> list[str]:
    return [user["username"] for user in json.loads(appliance.snikket("user", "list", "--json").stdout)]


def begun_trial(appliance: Appliance) -> tuple[str, str]:
    """As `snikket up` asks the chat server for it."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{appliance.ports.internal}/snikket_api/trial", data=b"{}",
        headers={"Host": appliance.domain, "Authorization": f"Bearer {(appliance.state / 'secrets/api').read_text().strip()}"})
    answer = json.load(urllib.request.urlopen(request, timeout=10))
    return answer["username"], answer["password"]


def enter(appliance: Appliance, username: str, password: str) -> None:
    sign_in(appliance.domain, appliance.ports.client, appliance.trust, username, password)


def test_somebody_logs_in_and_is_gone_afterwards(appliance: Appliance) -> None:
    before = names(appliance)
    answer = appliance.snikket("status", "--login", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["healthy"]
    assert names(appliance) == before
    assert "trial" not in "".join(appliance.snikket("user", "list").stdout)


def test_an_account_for_a_trial_is_shown_to_nobody_and_goes_when_the_next_begins(appliance: Appliance) -> None:
    before = names(appliance)
    username, password = begun_trial(appliance)
    enter(appliance, username, password)
    assert names(appliance) == before
    assert appliance.snikket("status", "--login").returncode == 0
    with pytest.raises(Refused):
        enter(appliance, username, password)


def test_it_does_not_outlive_a_chat_server_that_is_killed(appliance: Appliance) -> None:
    username, password = begun_trial(appliance)
    pid = appliance.service("prosody")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: appliance.service("prosody")["pid"] not in (pid, None), 30, "another one has been started")
    appliance.healthy()
    with pytest.raises(Refused):
        enter(appliance, username, password)


def test_a_chat_server_that_hangs_lets_nobody_in(appliance: Appliance) -> None:
    appliance.healthy()
    pid = appliance.service("prosody")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = appliance.snikket("status", "--login", seconds=60)
    finally:
        # Unless it has been noticed, and replaced.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "nobody can log in" in answer.stderr or "unhealthy" in answer.stdout, answer.stdout + answer.stderr
