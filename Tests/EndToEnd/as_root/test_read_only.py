"""A disk that the kernel has made read-only, as it does after an error: what serves goes on serving, whoever administers hears of it, and a start
says what is wrong."""

import asyncio
import sqlite3
from collections.abc import Iterator

import pytest

from world.appliance import Appliance, without_pebble
from world.conversation import under_fire
from world.mailbox import mailbox
from world.people import Account, logged_in, register
from world.service_watch import checks
from world.small_disk import SmallDisk, breaking_disk, read_only, small_disk
from world.waiting import until


@pytest.fixture(scope="module")
def on_small_disk() -> Iterator[tuple[Appliance, SmallDisk]]:
    with without_pebble("ro", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, small_disk(appliance.state, 48) as disk:
        try:
            yield appliance.started(), disk
        finally:
            disk.writable()
            appliance.end()


@pytest.fixture(scope="module")
def people(on_small_disk: tuple[Appliance, SmallDisk]) -> tuple[Account, Account]:
    appliance = on_small_disk[0]
    both = appliance.account("ann", "correct horse battery"), appliance.account("ben", "staple battery horse")
    for account in both:
        asyncio.run(register(account, appliance.invite()["token"]))
    return both


def test_a_start_is_refused_with_the_path_and_the_reason(
        on_small_disk: tuple[Appliance, SmallDisk], people: tuple[Account, Account]) -> None:
    appliance, disk = on_small_disk
    with under_fire(*people):
        pass
    assert appliance.stop() == 0
    disk.read_only()
    appliance.start()
    assert appliance.process is not None
    code = appliance.process.wait(30)
    appliance.process = None
    assert code == 1, appliance.said
    for part in ("error: cannot use ", "cause: ", "try:   "):
        assert f"snikket: {part}" in appliance.said, appliance.said
    assert str(appliance.state) in appliance.said and "read-only file system" in appliance.said.lower(), appliance.said
    assert "start as root" not in appliance.said, "root could not either"
    assert not appliance.processes()
    answer = appliance.snikket("status")
    assert answer.returncode == 1 and "snikket is not running here" in answer.stderr
    disk.writable()
    appliance.started().healthy()
    with under_fire(*people):
        pass


def _problems(appliance: Appliance) -> dict[str, str]:
    return {problem["matter"]: problem["cause"] for problem in appliance.status()["problems"]}


async def _say(ann: Account, to: str, body: str) -> str | None:
    """The condition with which it came back."""
    async with logged_in(ann) as person:
        problems: list[str] = []
        person.add_event_handler("message_error", lambda error: problems.append(error["error"]["condition"]))
        person.make_message(mto=to, mbody=body, mtype="chat").send()
        await person.plugin["xep_0199"].send_ping(ann.domain, timeout=20)
        return problems[0] if problems else None


async def _read(ben: Account, other: str) -> list[str]:
    async with logged_in(ben) as person:
        return [body for body in await person.archive_with(other) if body.startswith(("kept", "refused"))]


def test_on_a_disk_that_breaks_what_runs_goes_on_and_refuses_what_it_cannot_keep() -> None:
    with without_pebble("breaks", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, breaking_disk(appliance.state, 64) as disk, \
            mailbox(appliance.folder) as box:
        try:
            appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
            appliance.started()
            ann, ben = appliance.account("ann", "correct horse battery"), appliance.account("ben", "staple battery horse")
            for account in (ann, ben):
                asyncio.run(register(account, appliance.invite()["token"]))
            assert asyncio.run(_say(ann, ben.address, "kept before")) is None
            before = appliance.healthy()
            text = appliance.config.read_text()
            # Not in the middle of a transaction: what was half done could be neither ended nor taken back on such a disk, and nothing be read any more.
            with sqlite3.connect(appliance.state / "prosody/prosody.sqlite", timeout=30, isolation_level=None) as database:
                database.execute("BEGIN IMMEDIATE")
                disk.break_()
            database.close()
            # Nothing is started again for it, however often it is asked.
            asked = checks(appliance).get(("prosody", "c2s"), 0)
            until(lambda: checks(appliance).get(("prosody", "c2s"), 0) >= asked + 2, 60, "the chat server has been asked twice more")
            assert asyncio.run(_say(ann, ben.address, "refused")) == "resource-constraint"
            assert asyncio.run(_read(ben, ann.address)) == ["kept before"]
            # Every server answers, and all the same the service is not well.
            until(lambda: "storage" in _problems(appliance), 110, "it is noticed")
            assert "read-only file system" in _problems(appliance)["storage"].lower()
            assert not appliance.status()["healthy"]
            answer = appliance.snikket("status")
            assert answer.returncode == 1 and _problems(appliance)["storage"] in answer.stdout, answer
            until(lambda: box.messages, 30, "the administrator has a message")
            assert "cannot be kept" in box.messages[0].get_content() and _problems(appliance)["storage"] in box.messages[0].get_content()
            assert appliance.get("/").status in (200, 302, 303)
            appliance.config.write_text(text + "SNIKKET_SITE_NAME=Broken\n")
            refused = appliance.snikket("reload")
            assert refused.returncode == 1 and "read-only file system" in refused.stderr.lower(), refused
            appliance.config.write_text(text)
            after = appliance.status()
            assert [(service["pid"], service["state"]) for service in after["services"]] == [
                (service["pid"], "ready") for service in before["services"]]
            assert len(box.messages) == 1
            assert appliance.stop() == 0
            until(lambda: not appliance.processes(), 15, "everything has ended")
            disk.repair()
            appliance.started().healthy()
            assert asyncio.run(_say(ann, ben.address, "kept after")) is None
            assert asyncio.run(_read(ben, ann.address)) == ["kept before", "kept after"]
        finally:
            appliance.end()


def test_a_read_only_disk_is_named_and_told_of_once_and_once_more_when_it_is_over() -> None:
    with without_pebble("ro-told", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, mailbox(appliance.folder) as box:
        try:
            appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
            before = appliance.started().healthy()
            with read_only(appliance.state):
                until(lambda: "storage" in _problems(appliance), 110, "it is noticed")
                assert "the disk is read-only" in _problems(appliance)["storage"]
                assert not appliance.status()["healthy"]
                until(lambda: box.messages, 30, "the administrator has a message")
                assert "the disk is read-only" in box.messages[0].get_content()
            after = appliance.healthy(60)
            until(lambda: len(box.messages) > 1, 30, "the administrator has another message")
            assert "can be kept again" in box.messages[1].get_content()
            assert len(box.messages) == 2
            assert [service["pid"] for service in after["services"]] == [service["pid"] for service in before["services"]]
        finally:
            appliance.end()
