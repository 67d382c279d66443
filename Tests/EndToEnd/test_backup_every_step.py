"""Backups made and put back, killed or refused by the disk at each call by which a file is changed.

Usually some of the calls, others each time; `--long` takes every single one.
"""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.appliance import scratch
from world.backups import House, tree, verify
from world.fault import Fault, calls, some


@pytest.fixture
def house() -> Iterator[House]:
    with scratch("steps") as folder:
        house = House(folder)
        house.furnish("old")
        yield house


def count(house: House, *arguments: str) -> int:
    """How many calls the whole takes."""
    log = house.folder / "calls"
    log.unlink(missing_ok=True)
    answer = house.run(*arguments, fault=Fault(house.folder), log=log)
    assert answer.returncode == 0, answer.stderr
    total = len(calls(log))
    assert total > 20, calls(log)
    house.reset()
    return total


def leftovers(house: House) -> list[str]:
    """What an unfinished backup or restore leaves behind."""
    inside = [path.name for path in house.state.iterdir() if path.name in ("backup-staging", "restoring")]
    return inside + [path.name for path in house.elsewhere.iterdir() if path.name.startswith(".")]


def assert_three_parts(answer, fault: Fault) -> None:
    assert "snikket: error: " in answer.stderr and "snikket: try:" in answer.stderr, f"{fault}: {answer.stderr!r}"


def create(house: House) -> list[str]:
    return ["backup", "create", "--to", f"{house.elsewhere}/"]


def test_a_backup_that_is_killed_at_any_step_leaves_whole_backups_only_and_the_next_tidies_up(house: House, long: bool) -> None:
    house.remember()
    looks = house.looks()
    for at in some(count(house, *create(house)), long, 25):
        fault = Fault(house.folder, at)
        house.run(*create(house), fault=fault)
        for file in house.elsewhere.glob("*.zst"):
            assert verify(file).returncode == 0, fault
        assert house.looks() == looks, fault
        again = house.run("backup", "create", "--to", f"{house.elsewhere}/again.tar.zst")
        assert again.returncode == 0, f"{fault}: {again.stderr}"
        assert leftovers(house) == [], fault
        assert verify(house.elsewhere / "again.tar.zst").returncode == 0, fault
        house.reset()


def test_a_disk_that_refuses_any_step_of_a_backup_leaves_nothing_behind(house: House, long: bool) -> None:
    house.remember()
    looks = house.looks()
    for at in some(count(house, *create(house)), long, 25):
        fault = Fault(house.folder, at, error=errno.ENOSPC)
        answer = house.run(*create(house), fault=fault)
        if answer.returncode == 0:
            for file in house.elsewhere.glob("*.zst"):
                assert verify(file).returncode == 0, fault
        else:
            assert_three_parts(answer, fault)
            assert list(house.elsewhere.glob("*.zst")) == [], fault
        assert house.looks() == looks, fault
        house.reset()


def restore(file: Path) -> list[str]:
    return ["restore", str(file), "--yes"]


def prepared(house: House) -> tuple[Path, tuple, tuple]:
    """A backup of an old state, and another state in its place: the file, and how both look."""
    old = house.looks()
    file = house.backup()
    house.furnish("new")
    house.remember()
    return file, old, house.looks()


def test_a_restore_that_is_killed_at_any_step_is_finished_by_running_it_again(house: House, long: bool) -> None:
    file, old, new = prepared(house)
    for at in some(count(house, *restore(file)), long, 40):
        fault = Fault(house.folder, at)
        house.run(*restore(file), fault=fault)
        if (house.state / "restoring/plan.json").exists():
            # Halfway: nothing may be made of it.
            up = house.run("up")
            assert (up.returncode, "a restore has not come to its end" in up.stderr) == (78, True), f"{fault}: {up.stderr}"
        elif house.looks() != old:
            assert house.looks() == new, fault
        again = house.run(*restore(file))
        assert again.returncode == 0, f"{fault}: {again.stderr}"
        assert house.looks() == old, fault
        assert leftovers(house) == [], fault
        assert (house.state / "logs/prosody.log").read_text() == "new", "logs stay where they are"
        # The state that was replaced is whole, in a folder of its own.
        kept = [folder for folder in house.state.glob("before-restore-*") if (folder / "new").exists()]
        assert len(kept) == 1 and tree(kept[0]) == new[0], fault
        house.reset()


def test_a_disk_that_refuses_any_step_of_a_restore_leaves_the_old_state(house: House, long: bool) -> None:
    file, old, new = prepared(house)
    for at in some(count(house, *restore(file)), long, 40):
        fault = Fault(house.folder, at, error=errno.EIO)
        answer = house.run(*restore(file), fault=fault)
        if answer.returncode == 0:
            assert house.looks() == old, fault
        elif (house.state / "restoring/plan.json").exists():
            # It was over, but for the removal of its plan: the next run ends that.
            assert house.run(*restore(file)).returncode == 0, fault
            assert house.looks() == old, fault
        else:
            assert_three_parts(answer, fault)
            assert house.looks() == new, f"{fault}: {answer.stderr}"
        house.reset()
