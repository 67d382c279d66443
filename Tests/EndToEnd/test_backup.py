"""A backup of an appliance that people are using, and what comes of it: every message and file, on an empty machine."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from world import web
from world.appliance import Appliance, scratch, without_pebble
from world.backups import House, verify
from world.mailbox import mailbox
from world.people import Account, logged_in, register
from world.waiting import until

PICTURE = os.urandom(700_000)


async def share(person) -> str:
    """Uploads a picture; its address."""
    slot = await person.upload_slot("photo.png", len(PICTURE), "image/png")
    answer = await asyncio.to_thread(web.ask, slot.put, person.account.trust, method="PUT", body=PICTURE, headers=slot.headers)
    assert answer.status == 201, answer.text
    return slot.get


def people(appliance: Appliance) -> tuple[Account, Account]:
    accounts = appliance.account("alice", "correct horse battery"), appliance.account("bob", "staple battery horse")
    for account in accounts:
        asyncio.run(register(account, appliance.invite()["token"]))
    return accounts


async def backed_up_while_they_talk(appliance: Appliance, alice: Account, bob: Account, file: Path) -> tuple[list[str], str, float]:
    """What was said and had arrived before the backup began, the picture's address, and the longest that a message took meanwhile."""
    async with logged_in(alice) as a, logged_in(bob) as b:
        picture = await share(a)
        arrived: list[str] = []
        slowest = 0.0

        async def say(number: int) -> None:
            nonlocal slowest
            begun = time.monotonic()
            a.send_message(mto=bob.address, mbody=f"message {number}", mtype="chat")
            heard = await b.next_message()
            arrived.append(heard["body"])
            slowest = max(slowest, time.monotonic() - begun)

        for number in range(40):
            await say(number)
        before = list(arrived)
        # Otherwise a backup would keep the chat server from writing now and then (sqlite.org/fileformat.html §1.3).
        assert next(appliance.state.rglob("prosody.sqlite")).read_bytes()[18:20] == b"\2\2", "the database has a write-ahead log"
        backup = asyncio.create_task(asyncio.to_thread(appliance.snikket, "backup", "create", "--to", str(file), "--json", seconds=120))
        number = 40
        while not backup.done():
            await say(number)
            number += 1
        answer = await backup
        assert answer.returncode == 0, answer.stderr
        told = json.loads(answer.stdout)
        assert (told["file"], told["encrypted"], told["domain"]) == (str(file), False, appliance.domain)
        assert told["bytes"] == file.stat().st_size
        return before, picture, slowest


def test_all_that_was_said_and_shared_is_there_on_an_empty_machine() -> None:
    with without_pebble("backup", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        file = appliance.folder / "home/backup.tar.zst"
        appliance.config.write_text(appliance.config.read_text() + "SNIKKET_CERTIFICATE=internal\n")
        appliance.settings.clear()
        os.chown(appliance.folder, appliance.uid, -1)
        appliance.started()
        alice, bob = people(appliance)
        before, picture, slowest = asyncio.run(backed_up_while_they_talk(appliance, alice, bob, file))
        assert slowest < 10, f"a message took {slowest:.1f} s during the backup"
        assert file.stat().st_mode & 0o777 == 0o600
        healthy = appliance.healthy()
        assert [service["restarts"] for service in healthy["services"]] == [0, 0, 0, 0]
        serial = healthy["certificate"]["serial"]

        verified = verify(file, "--json")
        assert verified.returncode == 0, verified.stderr
        contents = json.loads(verified.stdout)
        (database,) = [database for database in contents["databases"] if database["path"] == "state/prosody/prosody.sqlite"]
        assert database["accounts"] == 2 and database["messages"] >= 2 * len(before)

        # Not while it runs.
        refused = appliance.snikket("restore", str(file), "--yes")
        assert refused.returncode == 1 and "snikket is running" in refused.stderr, refused.stderr
        assert "or pass --stop" in refused.stderr
        # It is not the service: --stop does not help here, and is not recommended to who has given it.
        refused = appliance.snikket("restore", str(file), "--yes", "--stop")
        assert refused.returncode == 1 and "snikket is running" in refused.stderr and "pass --stop" not in refused.stderr, refused.stderr
        assert appliance.stop() == 0

        # The machine is lost.
        shutil.rmtree(appliance.state)
        settings = appliance.config.read_text()
        appliance.config.unlink()
        asked = appliance.snikket("restore", str(file))
        assert asked.returncode == 64 and "no terminal" in asked.stderr and not appliance.config.exists(), asked.stderr
        restored = appliance.snikket("restore", str(file), "--yes", seconds=120)
        assert restored.returncode == 0, restored.stderr
        assert "2 accounts" in restored.stdout
        assert appliance.config.read_text() == settings

        appliance.started()
        assert appliance.healthy()["certificate"]["serial"] == serial

        async def look() -> None:
            async with logged_in(alice) as a, logged_in(bob) as b:
                for person, other in ((a, bob), (b, alice)):
                    said = await person.archive_with(other.address)
                    assert said[:len(before)] == before, said
                    # What came while the backup was made is there up to some moment, without a gap.
                    assert said == [f"message {number}" for number in range(len(said))]
                a.send_message(mto=bob.address, mbody="we are back", mtype="chat")
                assert (await b.next_message())["body"] == "we are back"

        asyncio.run(look())
        downloaded = web.ask(picture, bob.trust)
        assert (downloaded.status, downloaded.body) == (200, PICTURE)


def test_a_schedule_makes_keeps_carries_and_tells() -> None:
    with without_pebble("schedule", settings={"SNIKKET_CERTIFICATE": "internal", "SNIKKET_BACKUP_SCHEDULE": "daily"}) as appliance, \
            mailbox(appliance.folder) as box:
        backups = appliance.state / "backups"
        carrier, carried = appliance.folder / "carry", appliance.folder / "home/carried"
        carrier.write_text(f'#!/bin/sh\ncp "$1" {carried} || exit 1\n')
        carrier.chmod(0o755)
        broken = appliance.folder / "broken"
        broken.write_text("#!/bin/sh\necho the other side is away >&2\nexit 3\n")
        broken.chmod(0o755)
        backups.mkdir()
        old = [backups / f"snikket-{appliance.domain}-2026010{day}T000000Z-auto.tar.zst" for day in range(1, 5)]
        own = backups / f"snikket-{appliance.domain}-20260101T000000Z.tar.zst"
        for path in (*old, own):
            path.touch()
        for path in (backups, *backups.iterdir()):
            os.chown(path, appliance.uid, -1)
        appliance.settings |= {
            "SNIKKET_SMTP_URL": box.url + ";insecure", "SNIKKET_BACKUP_KEEP": "2", "SNIKKET_BACKUP_COMMAND": str(broken)}
        appliance.started()
        until(lambda: box.messages, 120, "the administrator hears that the backup has not been carried")
        text = box.messages[0].get_content()
        assert "The backup of chat.example.org failed" in text and "the other side is away" in text, text
        (problem,) = [problem for problem in appliance.status()["problems"] if problem["matter"] == "backup"]
        assert problem["error"] == "the backup failed" and "the other side is away" in problem["cause"], problem
        # Else it would be told once more after the next start.
        messages = appliance.state / "messages.json"
        until(lambda: not any("mail" in letter["channels"] for letter in json.loads(messages.read_text())["outbox"]), 30, "what was told is not told again")
        assert appliance.stop() == 0
        made = [path for path in backups.glob("*-auto.tar.zst") if path not in old]
        assert len(made) == 1, "what could not be carried away stays"
        assert [path.exists() for path in old] == [False, True, True, True], "and so do others, but for those that are more than twice as many"
        appliance.settings["SNIKKET_BACKUP_COMMAND"] = str(carrier)
        appliance.started()
        until(lambda: len(box.messages) == 2, 120, "the administrator hears that backups are made again")
        assert "are made again" in box.messages[1].get_content()
        (newest,) = [path for path in backups.glob("*-auto.tar.zst") if path not in old]
        assert newest == made[0], "what has been made is handed on, and not made again"
        assert carried.read_bytes() == newest.read_bytes() and verify(newest).returncode == 0
        assert sorted(backups.iterdir()) == sorted([newest, old[3], own]), "two are kept, and what a person made"
        listed = json.loads(appliance.snikket("backup", "list", "--json").stdout)
        assert [item["scheduled"] for item in listed] == [True, True, False] and listed[0]["file"] == str(newest)
        assert [problem for problem in appliance.status()["problems"] if problem["matter"] == "backup"] == []


@pytest.fixture(scope="module")
def furnished():
    with scratch("damaged") as folder:
        house = House(folder)
        house.furnish("old")
        yield house, house.backup()


def altered(file: Path, at: int, bit: int) -> Path:
    content = bytearray(file.read_bytes())
    content[at] ^= 1 << bit
    other = file.with_name("altered.tar.zst")
    other.write_bytes(content)
    return other


def assert_refused(house: House, file: Path, what: str, *more: str) -> None:
    answer = verify(file, *more)
    assert answer.returncode == 1 and "snikket: error: " in answer.stderr, f"{what}: {answer.returncode} {answer.stderr!r}"
    assert "damaged" in answer.stderr or "is not a backup" in answer.stderr or "cannot be opened" in answer.stderr, f"{what}: {answer.stderr!r}"


def test_whichever_byte_is_altered_it_is_refused(furnished, long: bool) -> None:
    house, file = furnished
    size = file.stat().st_size
    places = list(range(0, size, 4096)) if long else sorted(random.sample(range(0, size), 30))
    # And its edges: the headers of zstd and of the first entry, the end of the list, the seal.
    places += [0, 3, 4, 5, 6, 7, 8, *range(size - 110, size, 7), size - 1]
    for at in places:
        bit = random.randrange(8)
        assert_refused(house, altered(file, at, bit), f"bit {bit} of byte {at} of {size}")


def test_a_backup_that_was_cut_off_is_refused(furnished) -> None:
    house, file = furnished
    size = file.stat().st_size
    for length in [0, 1, 100, size - 1, size - 63, size - 64, *random.sample(range(size), 10)]:
        cut = file.with_name("cut.tar.zst")
        cut.write_bytes(file.read_bytes()[:length])
        assert_refused(house, cut, f"{length} of {size} bytes")
    longer = file.with_name("longer.tar.zst")
    longer.write_bytes(file.read_bytes() + b"\0")
    assert_refused(house, longer, "a byte too many")


def test_a_damaged_backup_changes_nothing(furnished) -> None:
    house, file = furnished
    looks = house.looks()
    for at in random.sample(range(file.stat().st_size), 5):
        answer = house.run("restore", str(altered(file, at, 0)), "--yes")
        assert answer.returncode == 1 and house.looks() == looks, f"byte {at}: {answer.stderr}"
        assert not (house.state / "restoring").exists()


def test_an_encrypted_backup_opens_with_its_key_only(furnished) -> None:
    house, _ = furnished
    keys = []
    for name in ("mine", "theirs"):
        key = house.folder / name
        subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True)
        keys.append((str(key), subprocess.run(["age-keygen", "-y", str(key)], check=True, capture_output=True, text=True).stdout.strip()))
    words = [house.folder / "passphrase", house.folder / "another"]
    words[0].write_text("two old words\n")
    words[1].write_text("two new words\n")
    cases = [
        (["--encrypt-to", keys[0][1]], ["--identity", keys[0][0]], ["--identity", keys[1][0]], "--identity"),
        (["--passphrase-file", str(words[0])], ["--passphrase-file", str(words[0])], ["--passphrase-file", str(words[1])], "--passphrase-file"),
    ]
    for sealing, opening, wrong, hint in cases:
        file = house.elsewhere / "sealed.age"
        answer = house.run("backup", "create", "--to", str(file), *sealing)
        assert answer.returncode == 0, answer.stderr
        assert b"words" not in file.read_bytes() and file.read_bytes().startswith(b"age-encryption.org/v1\n")
        good = verify(file, *opening)
        assert good.returncode == 0 and "sound" in good.stdout, good.stderr
        unopened = verify(file)
        assert unopened.returncode == 64 and hint in unopened.stderr, unopened.stderr
        mistaken = verify(file, *wrong)
        assert mistaken.returncode == 1 and "cannot be opened" in mistaken.stderr, mistaken.stderr
        assert "two new words" not in mistaken.stderr
        if hint == "--identity":
            for at in random.sample(range(file.stat().st_size), 12):
                assert_refused(house, altered(file, at, 3), f"byte {at}", *opening)
        restored = house.run("restore", str(file), "--yes", *opening)
        assert restored.returncode == 0, restored.stderr
        file.unlink()


def test_tar_and_zstd_open_it_too(furnished) -> None:
    house, file = furnished
    folder = house.folder / "by hand"
    folder.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", str(file), "-C", str(folder)], check=True)
    assert (folder / "settings/snikket.conf").read_text() == house.config.read_text()
    assert (folder / "state/secrets/api").read_text() == "old"
    sums = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for entry in sums:
        if entry["type"] == "file":
            said = subprocess.run(["sha256sum", str(folder / entry["path"])], check=True, capture_output=True, text=True).stdout
            assert said.split()[0] == entry["sha256"], entry["path"]
    assert {"backup.json", "settings/snikket.conf", "state/prosody/prosody.sqlite"} <= {entry["path"] for entry in sums}
    assert not any(part in entry["path"] for entry in sums for part in ("logs", "lock", "-wal", "backups"))
