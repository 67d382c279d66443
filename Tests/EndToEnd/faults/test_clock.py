"""The clock is set while everything runs, a year ahead and a year back, as by a dead battery and a time server that answers late."""

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from world import web
from world.appliance import Appliance, with_pebble, without_pebble
from world.clock import DAY, YEAR, Clock
from world.conversation import under_fire
from world.people import Account, Slot, logged_in, register
from world.waiting import until


@pytest.fixture(scope="module")
def wrong() -> Iterator[tuple[Appliance, Clock]]:
    with without_pebble("clock", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        clock = Clock(appliance.folder)
        appliance.start(clock.environment).line("ready ", 60)
        yield appliance, clock


@pytest.fixture(scope="module")
def people(wrong: tuple[Appliance, Clock]) -> tuple[Account, Account]:
    both = wrong[0].account("ann", "correct horse battery"), wrong[0].account("ben", "staple battery horse")
    for account in both:
        asyncio.run(register(account, wrong[0].invite()["token"]))
    return both


def _facts(appliance: Appliance) -> list[tuple[str, int, int]]:
    return [(service["name"], service["pid"], service["restarts"]) for service in appliance.status()["services"]]


def _seconds_of_processor(appliance: Appliance) -> dict[int, float]:
    found = {}
    for process in appliance.processes():
        # One that only looked at something may have ended meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
            found[process.pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def test_it_is_set_for_every_server(wrong: tuple[Appliance, Clock]) -> None:
    appliance, _ = wrong

    def without() -> list[str]:
        return [process.command for process in appliance.processes() if "clock.so" not in Path(f"/proc/{process.pid}/maps").read_text()]

    # One that begins or ends just then has nothing in its memory, and is not there the next time.
    until(lambda: not without(), 10, "every process has it")


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["ahead", "back"])
def test_a_jump_and_back_disturbs_nobody(wrong: tuple[Appliance, Clock], people: tuple[Account, Account], jump: int) -> None:
    appliance, clock = wrong
    before, serial = _facts(appliance), appliance.healthy()["certificate"]["serial"]
    with under_fire(*people) as conversation:
        sessions = conversation.sessions
        clock.set(jump)
        spent = _seconds_of_processor(appliance)
        # Longer than three probes in a row, and than it takes to notice that the clock was set.
        conversation.goes_on_for(16)
        answer = appliance.snikket("status")
        assert answer.returncode in (0, 1) and "prosody" in answer.stdout, answer
        for pid, seconds in _seconds_of_processor(appliance).items():
            assert seconds - spent.get(pid, 0) < 4, f"{pid} is busy: {appliance.processes()}"
        clock.set(0)
        conversation.goes_on()
        assert conversation.sessions == sessions, "somebody was thrown out"
    after = appliance.healthy(60)
    assert _facts(appliance) == before
    # The certificate that people have is good: another one was not needed, or a good one is in its place.
    certificate = after["certificate"]
    assert certificate["serial"] == serial or certificate["not_before"] <= _text(time.time())
    assert certificate["not_after"] > _text(time.time() + 30 * DAY)


def _text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


async def _say(ann: Account, ben: Account, words: list[str]) -> None:
    async with logged_in(ann) as person:
        for word in words:
            person.make_message(mto=ben.address, mbody=word, mtype="chat").send()
        await person.plugin["xep_0199"].send_ping(ann.domain, timeout=20)


async def _read(ben: Account, ann: Account, beginning: str) -> list[str]:
    async with logged_in(ben) as person:
        return [word for word in await person.archive_with(ann.address) if word.startswith(beginning)]


def _upload(appliance: Appliance, account: Account, content: bytes) -> str:
    async def slot() -> Slot:
        async with logged_in(account) as person:
            return await person.upload_slot("picture.png", len(content), "image/png")

    found = asyncio.run(slot())
    answer = web.ask(found.put, account.trust, method="PUT", body=content, headers=found.headers)
    assert answer.status == 201, answer.text
    return found.get


def _restart_prosody(appliance: Appliance) -> None:
    pid = appliance.service("prosody")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: (service := appliance.service("prosody"))["pid"] not in (None, pid) and service["state"] == "ready", 60, "Prosody is back")


def _said_by_prosody(appliance: Appliance, words: str) -> int:
    return (appliance.state / "logs/prosody.log").read_text(errors="replace").count(words)


def _tasks_have_run(appliance: Appliance) -> None:
    """Prosody's periodic tasks run a second after its start; what deletes is among them."""
    before = _said_by_prosody(appliance, "Running periodic tasks")
    _restart_prosody(appliance)
    # They run one after the other, and nothing else meanwhile: whoever is answered afterwards sees what they have left.
    until(lambda: _said_by_prosody(appliance, "Running periodic tasks") > before, 20, "the periodic tasks run")


def _stored(appliance: Appliance, sql: str) -> list[tuple]:
    with sqlite3.connect(f"file:{appliance.state}/prosody/prosody.sqlite?mode=ro", uri=True) as database:
        return database.execute(sql).fetchall()


@contextmanager
def _set(clock: Clock, seconds: int) -> Iterator[None]:
    clock.set(seconds)
    try:
        yield
    finally:
        clock.set(0)


def test_the_administrators_hear_of_a_time_that_cannot_be_and_of_its_end(wrong: tuple[Appliance, Clock]) -> None:
    appliance, clock = wrong
    admin = appliance.account("ada", "correct horse battery")
    asyncio.run(register(admin, appliance.invite("--admin")["token"]))

    def heard(words: str) -> bool:
        async def look() -> list[str]:
            async with logged_in(admin) as person:
                return await person.archive_with(appliance.domain)

        return any(words in message for message in asyncio.run(look()))

    with _set(clock, -YEAR):
        until(lambda: heard("is wrong: certificates are not believed"), 60, "they are told")
    until(lambda: heard("can be believed again"), 60, "and that it is over")


def test_a_wrong_clock_deletes_no_message_and_no_file(wrong: tuple[Appliance, Clock], people: tuple[Account, Account]) -> None:
    """Prosody deletes what is older than the retention, seven days, a second after its start: with a clock that is a year ahead that is everything."""
    appliance, clock = wrong
    ann, ben = people
    words = [f"kept {number}" for number in range(20)]
    asyncio.run(_say(ann, ben, words))
    picture = os.urandom(20_000)
    address = _upload(appliance, ann, picture)
    with _set(clock, YEAR):
        _tasks_have_run(appliance)
        assert _said_by_prosody(appliance, "The clock has jumped from 20") >= 1
        assert asyncio.run(_read(ben, ann, "kept")) == words
        asyncio.run(_say(ann, ben, ["kept from the future"]))
    # And again, in its right time: a task that was run in the future is run now, and finds nothing.
    _tasks_have_run(appliance)
    assert asyncio.run(_read(ben, ann, "kept")) == [*words, "kept from the future"]
    assert web.ask(address, ben.trust).body == picture


def test_what_is_said_while_the_clock_is_behind_is_not_deleted_as_old(wrong: tuple[Appliance, Clock], people: tuple[Account, Account]) -> None:
    appliance, clock = wrong
    ann, ben = people
    with _set(clock, -YEAR):
        _restart_prosody(appliance)
        asyncio.run(_say(ann, ben, ["behind 1", "behind 2"]))
    _forget_last_run(appliance)
    assert asyncio.run(_read(ben, ann, "behind")) == ["behind 1", "behind 2"]


def _forget_last_run(appliance: Appliance) -> None:
    """Lets the daily tasks run at Prosody's next start, as a day later."""
    with sqlite3.connect(f"{appliance.state}/prosody/prosody.sqlite", timeout=30) as database:
        database.execute("DELETE FROM prosody WHERE store = 'cron'")
    _tasks_have_run(appliance)


def test_what_is_too_old_is_still_deleted(wrong: tuple[Appliance, Clock], people: tuple[Account, Account]) -> None:
    appliance, _ = wrong
    ann, ben = people
    asyncio.run(_say(ann, ben, ["old 1", "new 1"]))
    with sqlite3.connect(f"{appliance.state}/prosody/prosody.sqlite", timeout=30) as database:
        database.execute('UPDATE prosodyarchive SET "when" = "when" - ? WHERE value LIKE ?', (8 * DAY, "%old 1%"))
    _forget_last_run(appliance)
    assert asyncio.run(_read(ben, ann, "old")) == [] and asyncio.run(_read(ben, ann, "new")) == ["new 1"]


def test_started_in_the_future_it_does_not_wait_for_that_future() -> None:
    """The authority's certificates are not believed then. As soon as the clock is right, everything comes up by itself."""
    with with_pebble("clock-start") as (appliance, _):
        clock = Clock(appliance.folder)
        clock.set(20 * YEAR)
        appliance.start(clock.environment).line("snikket: error: ", 60)
        attempts = json.loads((appliance.state / "certificates/attempts.json").read_text())
        assert attempts["nextAttempt"] > time.time() + 19 * YEAR
        clock.set(0)
        appliance.line("ready ", 150)
        appliance.healthy(60)


def test_a_certificate_that_was_made_in_the_future_is_replaced() -> None:
    with without_pebble("clock-internal", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started()
        first = appliance.status()["certificate"]["serial"]
        assert appliance.stop() == 0
        clock = Clock(appliance.folder)
        clock.set(YEAR)
        appliance.start(clock.environment).line("ready ", 60)
        certificate = appliance.healthy(60)["certificate"]
        assert certificate["serial"] != first and certificate["not_before"] > _text(time.time() + 300 * DAY)
        clock.set(0)
        until(lambda: appliance.status()["certificate"]["not_before"] <= _text(time.time()), 60, "a certificate of the present")
        appliance.healthy(60)
        assert appliance.get("/").status in (200, 302, 303)


def test_a_clock_that_is_behind_is_no_reason_for_another_authority() -> None:
    """Every phone would have to be told to trust it."""
    with without_pebble("clock-behind", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        clock = Clock(appliance.folder)
        appliance.start(clock.environment).line("ready ", 60)
        authority = (appliance.state / "certificates/authority/ca.pem").read_bytes()
        serial = appliance.healthy()["certificate"]["serial"]
        clock.set(-YEAR)
        assert appliance.snikket("certificate", "renew").returncode != 0
        until(lambda: appliance.status()["certificate"]["last_error"], 30, "it says why not")
        assert "clock is behind" in appliance.status()["certificate"]["last_error"]["error"]
        clock.set(0)
        assert appliance.snikket("certificate", "renew", seconds=60).returncode == 0
        assert appliance.healthy(60)["certificate"]["serial"] != serial
        assert (appliance.state / "certificates/authority/ca.pem").read_bytes() == authority
