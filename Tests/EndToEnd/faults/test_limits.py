"""`snikket up` at the end of what the system gives it: no descriptor, no process more. Its servers are not to suffer for that."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from world.appliance import Appliance, without_pebble
from world.conversation import under_fire
from world.people import Account, register
from world.waiting import until


@pytest.fixture(scope="module")
def appliance() -> Iterator[Appliance]:
    with without_pebble("limits", settings={"SNIKKET_CERTIFICATE": "internal"}) as made:
        yield made.started()


@pytest.fixture(scope="module")
def people(appliance: Appliance) -> tuple[Account, Account]:
    both = appliance.account("ann", "correct horse battery"), appliance.account("ben", "staple battery horse")
    for account in both:
        asyncio.run(register(account, appliance.invite()["token"]))
    return both


@contextmanager
def _limited(appliance: Appliance, kind: str, most: int) -> Iterator[None]:
    """Puts the soft limit of `snikket up` down to `most`, as its own user may, and up again."""
    assert appliance.process is not None
    pid = appliance.process.pid
    before = _prlimit(appliance, pid, f"--{kind}", "--output=SOFT", "--noheadings", "--raw").strip()
    _prlimit(appliance, pid, f"--{kind}={most}:")
    try:
        yield
    finally:
        _prlimit(appliance, pid, f"--{kind}={before}:")


def _prlimit(appliance: Appliance, pid: int, *arguments: str) -> str:
    who: dict[str, Any] = {"user": appliance.uid, "group": appliance.uid, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(["prlimit", f"--pid={pid}", *arguments], capture_output=True, text=True, **who)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _descriptors(appliance: Appliance) -> int:
    assert appliance.process is not None
    return len(os.listdir(f"/proc/{appliance.process.pid}/fd"))


def _seconds_of_processor(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_a_free_descriptor_no_server_is_started_again(appliance: Appliance, people: tuple[Account, Account]) -> None:
    """Its probes cannot be made then; that says nothing about the servers."""
    assert appliance.process is not None
    pid = appliance.process.pid
    before = appliance.healthy()
    with under_fire(*people) as conversation:
        sessions = conversation.sessions
        with _limited(appliance, "nofile", _descriptors(appliance)):
            spent = _seconds_of_processor(pid)
            # Longer than three probes in a row: ten seconds, and twice one.
            conversation.goes_on_for(25)
            spent = _seconds_of_processor(pid) - spent
            # It has a descriptor for whoever asks, or it has none: then that is what is said.
            answer = appliance.snikket("status")
            assert "healthy" in answer.stdout or "snikket: error: snikket does not answer" in answer.stderr, answer
            conversation.goes_on()
            assert conversation.sessions == sessions, "somebody was thrown out"
        after = appliance.healthy()
        conversation.goes_on()
    assert [(service["name"], service["pid"], service["restarts"]) for service in after["services"]] == [
        (service["name"], service["pid"], service["restarts"]) for service in before["services"]]
    assert spent < 6, f"it was busy for {spent} of 25 s"


def test_a_server_that_dies_meanwhile_is_there_as_soon_as_there_are_descriptors(appliance: Appliance) -> None:
    victim = appliance.service("portal")["pid"]
    with _limited(appliance, "nofile", _descriptors(appliance)):
        os.kill(victim, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{victim}"), 10, "the portal is gone")
    appliance.healthy(60)
    assert appliance.service("portal")["pid"] != victim


def test_without_another_process_it_says_why_and_goes_on_later(appliance: Appliance) -> None:
    with _limited(appliance, "nproc", 1):
        os.kill(appliance.service("portal")["pid"], signal.SIGKILL)

        def told() -> bool:
            portal = appliance.service("portal")
            return portal["state"] not in ("ready", "starting") and "temporarily unavailable" in (portal["last_problem"] or "").lower()

        until(told, 30, "the status says why")
        states = {service["name"]: service["state"] for service in appliance.status()["services"]}
        assert {states[name] for name in ("prosody", "nginx", "coturn")} == {"ready"}, states
    appliance.healthy(90)
