"""`snikket up` itself, killed at any moment and started again at once: the servers are the new one's, everybody comes back, nothing is lost."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from world import web
from world.appliance import Appliance, without_pebble
from world.conversation import under_fire
from world.people import Account, Slot, logged_in, register
from world.waiting import until


@pytest.fixture(scope="module")
def survivor() -> Iterator[Appliance]:
    with without_pebble("killed-often", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


@pytest.fixture(scope="module")
def people(survivor: Appliance) -> tuple[Account, Account]:
    both = survivor.account("ann", "correct horse battery"), survivor.account("ben", "staple battery horse")
    for account in both:
        asyncio.run(register(account, survivor.invite()["token"]))
    return both


def _moment(longest: float) -> None:
    """Lets a moment pass of which nobody knows beforehand what happens at its end."""
    threading.Event().wait(random.uniform(0, longest))


def _kill(appliance: Appliance) -> None:
    assert appliance.process is not None
    process, appliance.process = appliance.process, None
    process.kill()
    process.wait(10)


def _healthy_and_alone(appliance: Appliance) -> None:
    """Every process that there is belongs to the `snikket up` that runs now."""
    status = appliance.healthy(60)
    assert appliance.process is not None
    mine = {appliance.process.pid}

    def strangers() -> list[str]:
        parents = {process.pid: _parent(process.pid) for process in appliance.processes()}
        for _ in parents:
            mine.update(pid for pid, parent in parents.items() if parent in mine)
        return [f"{process.pid} {process.command}" for process in appliance.processes() if process.pid not in mine and _parent(process.pid) != 0]

    # A command that the test itself has just run may still be ending.
    until(lambda: not strangers(), 10, "nothing is left of the one before")
    assert {service["pid"] for service in status["services"]} <= mine


def _parent(pid: int) -> int:
    """0 when it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _upload(appliance: Appliance, account: Account, content: bytes) -> str:
    """The address under which everybody gets it."""
    async def slot() -> Slot:
        async with logged_in(account) as person:
            return await person.upload_slot("picture.png", len(content), "image/png")

    found = asyncio.run(slot())
    answer = web.ask(found.put, account.trust, method="PUT", body=content, headers=found.headers)
    assert answer.status == 201, answer.text
    return found.get


def test_at_twenty_moments_of_its_life(survivor: Appliance, people: tuple[Account, Account], long: bool) -> None:
    picture = os.urandom(50_000)
    address = _upload(survivor, people[0], picture)
    token = survivor.invite()["token"]
    serial = survivor.healthy()["certificate"]["serial"]
    with under_fire(*people) as conversation:
        for round in range(200 if long else 20):
            _kill(survivor)
            survivor.start()
            if round % 5 == 4:
                survivor.line("ready ", 60)
                conversation.goes_on()
            else:
                _moment(2.5)
        survivor.line("ready ", 60)
        conversation.goes_on()
    _healthy_and_alone(survivor)
    assert survivor.status()["certificate"]["serial"] == serial
    assert web.ask(address, people[1].trust).body == picture
    assert survivor.get(f"/invite/{token}/").status == 200
    until(lambda: not [path for path in survivor.state.rglob("*") if ".new-" in path.name], 10, "no half-written file is left")


def test_in_the_middle_of_a_reload(survivor: Appliance, people: tuple[Account, Account], long: bool) -> None:
    text = survivor.config.read_text()
    with under_fire(*people):
        for number in range(20 if long else 3):
            survivor.config.write_text(text + f"SNIKKET_SITE_NAME=Ours {number}\n")
            command = survivor._popen(["reload", "--config", str(survivor.config), "--state", str(survivor.state)])
            _moment(1)
            _kill(survivor)
            command.communicate(timeout=60)
            survivor.started()
            assert f"Ours {number}" in (survivor.state / "run/portal/portal.json").read_text()
    _healthy_and_alone(survivor)


def test_while_it_is_stopping(survivor: Appliance, people: tuple[Account, Account], long: bool) -> None:
    with under_fire(*people):
        for _ in range(20 if long else 3):
            assert survivor.process is not None
            survivor.process.send_signal(signal.SIGTERM)
            _moment(0.7)
            _kill(survivor)
            survivor.started()
    _healthy_and_alone(survivor)


def test_held_up_for_twenty_seconds_it_starts_nothing_again(survivor: Appliance, people: tuple[Account, Account]) -> None:
    """A machine that sleeps, a debugger, a host without time: the servers serve on, and are the same afterwards."""
    assert survivor.process is not None
    before = survivor.healthy()
    with under_fire(*people) as conversation:
        sessions = conversation.sessions
        survivor.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            answer = survivor.snikket("status")
            assert time.monotonic() - began < 10
            assert answer.returncode == 75 and "snikket: error: snikket does not answer" in answer.stderr, answer
            conversation.goes_on_for(20 - (time.monotonic() - began))
            conversation.goes_on()
        finally:
            survivor.process.send_signal(signal.SIGCONT)
        after = survivor.healthy()
        conversation.goes_on(messages=200)
        assert conversation.sessions == sessions
    facts = ("name", "pid", "restarts", "since")
    assert [[service[fact] for fact in facts] for service in survivor.status()["services"]] == [
        [service[fact] for fact in facts] for service in before["services"]]
    assert after["healthy"]


def test_what_died_while_it_was_held_up_is_there_again_afterwards(survivor: Appliance, people: tuple[Account, Account]) -> None:
    assert survivor.process is not None
    with under_fire(*people) as conversation:
        before = survivor.service("prosody")["pid"]
        survivor.process.send_signal(signal.SIGSTOP)
        try:
            os.kill(before, signal.SIGKILL)
        finally:
            survivor.process.send_signal(signal.SIGCONT)
        conversation.goes_on()
    _healthy_and_alone(survivor)
    assert survivor.service("prosody")["pid"] != before
