"""Backups and restores that are told to stop, or killed, in the middle: everything is as it was, and they say so."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.appliance import scratch
from world.backups import House, verify
from world.programs import put_program
from world.waiting import until

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def house() -> Iterator[House]:
    with scratch("interrupted") as folder:
        house = House(folder)
        house.furnish("old")
        yield house


def words(house: House) -> Path:
    """A passphrase that comes when the test gives it: until then the program waits for it, in the middle of its work."""
    fifo = house.folder / "words"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    return fifo


def told_while_it_waits(process: subprocess.Popen[str], fifo: Path, number: signal.Signals) -> tuple[int, str]:
    """Sends the signal while the program waits for its passphrase: exit status and errors."""
    with open(fifo, "w") as answer:
        # Opened: so the program has opened it, too.
        process.send_signal(number)
        until(lambda: process.poll() is not None or is_noted(process.pid, number), 20, "the signal is delivered")
        answer.write("two old words\n")
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def is_noted(pid: int, number: signal.Signals) -> bool:
    """Whether a signal is waiting for nobody any more."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return not any(int(status[name], 16) >> (number - 1) & 1 for name in ("SigPnd", "ShdPnd"))


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_backup_that_is_told_to_stop_leaves_nothing_behind(house: House, number: signal.Signals) -> None:
    looks, fifo = house.looks(), words(house)
    process = house.begin("backup", "create", "--to", f"{house.elsewhere}/", "--passphrase-file", str(fifo))
    code, errors = told_while_it_waits(process, fifo, number)
    assert code == 1 and "snikket: error: interrupted" in errors, (code, errors)
    assert house.looks() == looks and list(house.elsewhere.iterdir()) == [] and not (house.state / "backup-staging").exists()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_restore_that_is_told_to_stop_leaves_everything_as_it_was(house: House, number: signal.Signals) -> None:
    passphrase = house.folder / "passphrase"
    passphrase.write_text("two old words\n")
    file = house.backup("--passphrase-file", str(passphrase))
    house.furnish("new")
    looks, fifo = house.looks(), words(house)
    process = house.begin("restore", str(file), "--yes", "--passphrase-file", str(fifo))
    code, errors = told_while_it_waits(process, fifo, number)
    assert code == 1 and "snikket: error: interrupted" in errors and "nothing was changed" in errors, (code, errors)
    assert house.looks() == looks and not (house.state / "restoring").exists()


def test_what_whoever_began_it_has_ignored_does_not_stop_it(house: House) -> None:
    fifo = words(house)
    process = house.begin(
        "backup", "create", "--to", f"{house.elsewhere}/a.age", "--passphrase-file", str(fifo),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    code, errors = told_while_it_waits(process, fifo, signal.SIGHUP)
    assert code == 0 and (house.elsewhere / "a.age").exists(), (code, errors)


def carrier(house: House, name: str, text: str) -> Path:
    return put_program(house.folder / name, f"#!/bin/sh\n{text}\n")


def due(program: Path) -> list[str]:
    return ["backup", "create", "--if-due", "--set=SNIKKET_BACKUP_SCHEDULE=daily", f"--set=SNIKKET_BACKUP_COMMAND={program}"]


def test_a_backup_whose_carrier_was_killed_with_it_is_carried_by_the_next_run(house: House) -> None:
    begun, carried = house.folder / "begun", house.folder / "carried"
    slow = carrier(house, "slow", f"touch {begun}; exec sleep 600")
    process = house.begin(*due(slow))
    until(begun.exists, 60, "it is being carried")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    (made,) = (house.state / "backups").glob("*-auto.tar.zst")
    answer = house.run(*due(carrier(house, "quick", f'cp "$1" {carried}')))
    assert answer.returncode == 0, answer.stderr
    assert carried.exists() and carried.read_bytes() == made.read_bytes() and verify(carried).returncode == 0
    assert list((house.state / "backups").glob("*.zst")) == [made], "it is not made again"


def test_a_carrier_ignores_what_whoever_began_it_has_ignored(house: House) -> None:
    said = house.folder / "said"
    program = carrier(house, "look", f"grep SigIgn /proc/self/status >{said}")
    process = house.begin(*due(program), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    ignored = int(said.read_text().split()[1], 16)
    # Of the others that we ignore, SIGPIPE, it hears nothing.
    assert ignored & 1 << (signal.SIGHUP - 1) and not ignored & 1 << (signal.SIGPIPE - 1), f"{ignored:x}"


def test_a_carrier_is_told_to_stop_with_the_command_that_waits_for_it(house: House) -> None:
    begun, ended = house.folder / "begun", house.folder / "ended"
    slow = carrier(house, "slow", f"trap 'touch {ended}; kill $!; exit 1' TERM; sleep 600 & touch {begun}; wait")
    process = house.begin(*due(slow))
    until(begun.exists, 60, "it is being carried")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and "interrupted" in errors, errors
    assert ended.exists()


def test_backups_that_cannot_be_carried_do_not_fill_the_disk(house: House) -> None:
    backups = house.state / "backups"
    backups.mkdir()
    old = [backups / f"snikket-chat.example.org-202601{day:02}T000000Z-auto.tar.zst" for day in range(1, 9)]
    for path in old:
        path.touch()
    answer = house.run(*due(carrier(house, "broken", "exit 3")), "--set=SNIKKET_BACKUP_KEEP=2")
    assert answer.returncode == 1, answer.stderr
    left = sorted(backups.glob("*-auto.tar.zst"))
    assert len(left) == 4 and left[:3] == old[-3:], "twice as many as are kept otherwise, the newest"
