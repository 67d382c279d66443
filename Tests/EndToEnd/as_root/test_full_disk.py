"""The disk runs full while everything runs: what cannot be kept is not accepted, nothing that was accepted is lost, everything goes on by itself
as soon as there is room, and whoever administers hears of it once, and once more when it is over.

Root mounts the small disk; the appliance runs as nobody in particular, as everywhere else.
"""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Iterator

import pytest

from world.appliance import Appliance, without_pebble
from world.conversation import under_fire
from world.mailbox import mailbox
from world.people import Account, Person, RegistrationRefused, logged_in, register
from world.small_disk import SmallDisk, small_disk
from world.waiting import until

MEGABYTES = 48


@pytest.fixture(scope="module")
def on_small_disk() -> Iterator[tuple[Appliance, SmallDisk]]:
    with without_pebble("full", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, small_disk(appliance.state, MEGABYTES) as disk:
        try:
            yield appliance.started(), disk
        finally:
            appliance.end()


@pytest.fixture
def appliance(on_small_disk: tuple[Appliance, SmallDisk]) -> Appliance:
    return on_small_disk[0]


@pytest.fixture
def disk(on_small_disk: tuple[Appliance, SmallDisk]) -> Iterator[SmallDisk]:
    """With room on it at the beginning and at the end."""
    yield on_small_disk[1]
    on_small_disk[1].make_room()


@pytest.fixture(scope="module")
def people(on_small_disk: tuple[Appliance, SmallDisk]) -> tuple[Account, Account]:
    appliance = on_small_disk[0]
    both = appliance.account("ann", "correct horse battery"), appliance.account("ben", "staple battery horse")
    for account in both:
        asyncio.run(register(account, appliance.invite()["token"]))
    return both


async def _send(person: Person, to: str, body: str, kind: str = "chat") -> str | None:
    """Says it, and waits for the server's word that it has dealt with it; the condition with which it came back, if it did."""
    refused: list[str] = []
    message = person.make_message(mto=to, mbody=body, mtype=kind)
    message["id"] = os.urandom(6).hex()

    def came_back(error: object) -> None:
        if error["id"] == message["id"]:  # type: ignore[index]
            refused.append(error["error"]["type"] + " " + error["error"]["condition"])  # type: ignore[index]

    for event in ("message_error", "groupchat_message_error"):
        person.add_event_handler(event, came_back)
    message.send()
    # Answered after the message, by the same stream: whatever came back is here by then.
    await person.features_of(to.partition("@")[2])
    return refused[0] if refused else None


def test_what_the_archive_cannot_take_goes_back_to_its_writer(appliance: Appliance, disk: SmallDisk, people: tuple[Account, Account]) -> None:
    ann, ben = people
    big = "x" * 6000

    async def talk() -> None:
        async with logged_in(ann) as a, logged_in(ben) as b:
            accepted = []
            for number in range(200):
                if number == 20:
                    disk.fill()
                body = f"full {number} {big}"
                problem = await _send(a, ben.address, body)
                assert problem in (None, "wait resource-constraint"), problem
                if problem is None:
                    accepted.append(body)
                elif number > 40:
                    break
            assert 20 <= len(accepted) < number, f"{len(accepted)} of {number} were accepted"
            # Nobody is shown what the others cannot read later.
            heard = [(await b.next_message())["body"] for _ in accepted]
            assert heard == accepted
            assert b.inbox.empty()
            disk.make_room()
            assert await _send(a, ben.address, "room again") is None
            assert (await b.next_message())["body"] == "room again"
            for reader, other in ((a, ben), (b, ann)):
                kept = [body for body in await reader.archive_with(other.address) if body.startswith(("full ", "room "))]
                # The writer's own archive may have one that the reader's had no room for: it came back, and is marked so.
                assert [body for body in kept if body in accepted or body == "room again"] == [*accepted, "room again"]
                assert reader is a or len(kept) == len(accepted) + 1

    asyncio.run(talk())
    appliance.healthy()


def test_in_a_group_chat_too(appliance: Appliance, disk: SmallDisk, people: tuple[Account, Account]) -> None:
    ann, ben = people
    room = f"family@groups.{appliance.domain}"
    big = "y" * 6000

    async def meet() -> None:
        async with logged_in(ann) as a, logged_in(ben) as b:
            await a.plugin["xep_0045"].join_muc_wait(room, "Ann", timeout=20)
            form = await a.plugin["xep_0045"].get_room_config(room, timeout=20)
            form["type"] = "submit"
            await a.plugin["xep_0045"].set_room_config(room, config=form, timeout=20)
            await a.plugin["xep_0045"].set_affiliation(room, "member", jid=ben.address, timeout=20)
            await b.plugin["xep_0045"].join_muc_wait(room, "Ben", timeout=20)
            assert await _send(a, room, "before", "groupchat") is None
            await b.next_room_message("before")
            disk.fill()
            for number in range(200):
                if await _send(a, room, f"full {number} {big}", "groupchat") == "wait resource-constraint":
                    break
                await b.next_room_message(f"full {number} {big}")
            else:
                raise AssertionError("the disk never became full")
            disk.make_room()
            assert await _send(a, room, "after", "groupchat") is None
            # The next that Ben hears: he was not told what nobody could read later.
            assert (await asyncio.wait_for(b.room_inbox.get(), 20))["body"] == "after"

    asyncio.run(meet())


def test_messages_before_and_after_are_all_there(appliance: Appliance, disk: SmallDisk, people: tuple[Account, Account]) -> None:
    """And Prosody is killed on the full disk too."""
    ann, ben = people

    async def say(words: list[str]) -> list[str | None]:
        async with logged_in(ann) as a:
            return [await _send(a, ben.address, word) for word in words]

    async def read() -> list[str]:
        async with logged_in(ben) as b:
            return [body for body in await b.archive_with(ann.address) if body.startswith("kept ")]

    before = [f"kept {number} before" for number in range(30)]
    assert asyncio.run(say(before)) == [None] * len(before)
    disk.fill()
    pid = appliance.service("prosody")["pid"]
    os.kill(pid, signal.SIGKILL)
    disk.fill()
    until(lambda: (service := appliance.service("prosody"))["pid"] not in (None, pid) and service["state"] == "ready", 60, "Prosody is there")
    disk.make_room()
    appliance.healthy(60)
    after = [f"kept {number} after" for number in range(30)]
    assert asyncio.run(say(after)) == [None] * len(after)
    assert asyncio.run(read()) == before + after
    with sqlite3.connect(f"file:{appliance.state}/prosody/prosody.sqlite?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_account_is_made_whole_or_not_at_all(appliance: Appliance, disk: SmallDisk) -> None:
    names = []
    for number in range(8):
        account = appliance.account(f"new{number}", "correct horse battery")
        token = appliance.invite()["token"]
        disk.fill(leave=number * 16_384)
        try:
            asyncio.run(register(account, token))
        except RegistrationRefused as refused:
            disk.make_room()
            appliance.healthy(60)
            # The invitation has not been used up by it.
            assert refused.condition != "IqTimeout", refused
            asyncio.run(register(account, token))
        disk.make_room()
        names.append(account)

    async def can_log_in(account: Account) -> None:
        async with logged_in(account) as person:
            assert await _send(person, account.address, "hello") is None

    for account in names:
        asyncio.run(can_log_in(account))


def test_commands_say_so_in_three_parts_and_change_nothing(appliance: Appliance, disk: SmallDisk, people: tuple[Account, Account]) -> None:
    files = {path: path.read_bytes() for path in (appliance.state / "run").rglob("*") if path.is_file() and "work" not in path.parts}
    pids = {service["name"]: service["pid"] for service in appliance.healthy()["services"]}
    text = appliance.config.read_text()
    appliance.config.write_text(text + "SNIKKET_SITE_NAME=Full\n")
    disk.fill()
    answer = appliance.snikket("reload")
    assert answer.returncode == 1, answer
    for part in ("error: ", "cause: ", "try:   "):
        assert f"snikket: {part}" in answer.stderr, answer.stderr
    assert "no space left on device" in answer.stderr
    assert appliance.snikket("status").returncode == 0
    assert {service["name"]: service["pid"] for service in appliance.status()["services"]} == pids
    disk.make_room()
    assert {path: path.read_bytes() for path in files if path.exists()} == files
    until(lambda: not [path for path in appliance.state.rglob("*") if ".new-" in path.name], 10, "no half of a file is left")
    assert appliance.snikket("reload").returncode == 0
    assert "Full" in (appliance.state / "run/portal/portal.json").read_text()
    appliance.config.write_text(text)
    assert appliance.snikket("reload").returncode == 0


def test_a_disk_that_can_hold_no_more_files_is_told_of_too(appliance: Appliance, disk: SmallDisk) -> None:
    def causes() -> list[str]:
        return [problem["cause"] for problem in appliance.status()["problems"] if problem["matter"] == "disk"]

    try:
        disk.take_files(leave=3)
        until(lambda: any("more files can be made" in cause for cause in causes()), 60, "the status tells of it")
    finally:
        disk.give_files()
    until(lambda: not causes(), 60, "that is over")


def test_the_logs_go_on_when_there_is_room_again(appliance: Appliance, disk: SmallDisk, people: tuple[Account, Account]) -> None:
    log = appliance.state / "logs/prosody.log"
    disk.fill()

    async def visit() -> None:
        async with logged_in(people[0]) as person:
            await person.get_roster(timeout=20)

    # Logging in works; what Prosody prints about it has no place.
    for _ in range(3):
        asyncio.run(visit())
    disk.make_room()
    with under_fire(*people):
        pass
    until(lambda: log.read_text(errors="replace").rstrip().splitlines()[-1][:2] == "20", 10, "whole lines again")
    assert appliance.snikket("logs", "prosody").returncode == 0


def test_starting_on_a_full_disk(appliance: Appliance, disk: SmallDisk, people: tuple[Account, Account]) -> None:
    """With everything rendered before, a few process numbers is all that has to be written: people can log in and read."""
    async def say() -> None:
        async with logged_in(people[0]) as person:
            assert await _send(person, people[1].address, "to be read later") is None

    asyncio.run(say())
    assert appliance.stop() == 0
    disk.fill(leave=32_768)
    appliance.started()
    appliance.healthy()

    async def read() -> list[str]:
        async with logged_in(people[1]) as person:
            return await person.archive_with(people[0].address)

    assert "to be read later" in asyncio.run(read())
    disk.make_room()
    with under_fire(*people):
        pass


def test_a_first_start_on_a_full_disk_says_so_and_leaves_nothing_half_done() -> None:
    with without_pebble("full-first", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, small_disk(appliance.state, 8) as disk:
        try:
            for leave in (0, 20_000, 60_000, 150_000):
                disk.fill(leave)
                appliance.start()
                assert (process := appliance.process) is not None
                until(
                    lambda: process.poll() is not None or "snikket: try: " in appliance.said or "\ninvitation " in appliance.said, 60,
                    "it says what is wrong, or has had room enough")
                said = appliance.said
                for part in () if "\ninvitation " in said else ("error: ", "cause: ", "try:   "):
                    assert f"snikket: {part}" in said, said
                # Having said why it gives up, it ends in a moment.
                if not said.startswith("snikket: error") and "snikket: stopping" not in said:
                    # It had room for what it needs itself, serves what it can, and goes on by itself.
                    disk.make_room()
                    if "\nready " in said:
                        until(lambda: appliance.snikket("invite", "create", "--admin").returncode == 0, 30, "an invitation can be made")
                    # It may have been about to give up.
                    assert appliance.stop() in (0, 1)
                else:
                    appliance.process = None
                    assert process.wait(20) == 1 and "no space left on device" in appliance.said, appliance.said
                until(lambda: not appliance.processes(), 10, "nothing is left running")
                disk.make_room()
                for name in ("api", "turn"):
                    secret = appliance.state / "secrets" / name
                    assert not secret.exists() or len(secret.read_text()) == 65
            appliance.started().healthy()
        finally:
            appliance.end()


def test_administrators_are_told_once_and_once_more_when_it_is_over() -> None:
    with without_pebble("full-told", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, small_disk(appliance.state, MEGABYTES) as disk, \
            mailbox(appliance.folder) as box:
        try:
            appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
            appliance.started()
            admin = appliance.account("root", "correct horse battery")
            asyncio.run(register(admin, appliance.invite("--admin")["token"]))
            disk.fill()
            until(lambda: box.messages, 60, "the mail server has a message")
            assert "nearly full" in box.messages[0].get_content()
            # It cannot be written down that it was told; it is not told again all the same.
            until(lambda: not _outbox(appliance), 40, "it is told")
            disk.make_room()
            until(lambda: len(box.messages) == 2, 60, "a second message")
            assert "has room again" in box.messages[1].get_content()

            async def heard() -> list[str]:
                async with logged_in(admin) as person:
                    return await person.archive_with(appliance.domain)

            words = asyncio.run(heard())
            assert [("nearly full" in word, "room again" in word) for word in words] in ([(True, False), (False, True)], [(False, True)], []), words
            assert len(box.messages) == 2
        finally:
            appliance.end()


def _outbox(appliance: Appliance) -> list[dict]:
    file = appliance.state / "messages.json"
    return json.loads(file.read_text())["outbox"] if file.exists() else []
