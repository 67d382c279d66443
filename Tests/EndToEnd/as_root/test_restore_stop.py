"""`snikket restore --stop` when the service cannot be stopped, or not be started again: systemd is the one part that is played."""

import fcntl
import subprocess
from collections.abc import Iterator

import pytest

from world.appliance import installation, scratch
from world.backups import House
from world.programs import put_program


class Stopping:
    """A house whose service answers as a test says: `systemctl` is its program, in a mount namespace."""

    def __init__(self, house: House):
        self.house = house
        self.log = house.folder / "systemctl.log"
        self._program = house.folder / "systemctl"
        self.file = house.backup()
        house.furnish("new")

    def restore(self, **answers: str) -> subprocess.CompletedProcess[str]:
        """Restores, while what systemctl is asked is done by these lines of shell."""
        cases = "".join(f"{verb}) {what} ;;\n" for verb, what in answers.items())
        put_program(self._program, f'#!/bin/sh\necho "$1" >>{self.log}\ncase "$1" in\n{cases}esac\nexit 0\n')
        self.log.unlink(missing_ok=True)
        command = [
            str(installation() / "bin/snikket"), "restore", str(self.file), "--yes", "--stop", "--config", str(self.house.config),
            "--state", str(self.house.state)]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", f'mount --bind {self._program} /usr/bin/systemctl && exec "$@"', "sh", *command],
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, start_new_session=True)

    @property
    def asked(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line != "is-active"]


@pytest.fixture
def stopping(users: dict[str, int]) -> Iterator[Stopping]:
    with scratch("stop") as folder:
        house = House(folder)
        house.furnish("old")
        yield Stopping(house)


def test_a_service_that_cannot_be_stopped_is_started_again_and_nothing_is_changed(stopping: Stopping) -> None:
    looks = stopping.house.looks()
    answer = stopping.restore(stop="echo it is held up >&2; exit 1")
    assert answer.returncode == 1 and "it is held up" in answer.stderr, answer.stderr
    assert stopping.asked == ["stop", "start"] and stopping.house.looks() == looks
    assert not (stopping.house.state / "restoring").exists()


def test_who_is_told_to_stop_while_the_service_stops_starts_it_again(stopping: Stopping) -> None:
    looks = stopping.house.looks()
    # The command that waits for it.
    answer = stopping.restore(stop="kill -TERM $PPID; sleep 600")
    assert answer.returncode == 1 and "snikket: error: interrupted" in answer.stderr, answer.stderr
    assert stopping.asked == ["stop", "start"] and stopping.house.looks() == looks
    assert not (stopping.house.state / "restoring").exists()


def test_a_service_that_does_not_start_hides_nothing_of_the_restore(stopping: Stopping) -> None:
    looks = stopping.house.looks()
    with open(stopping.house.state / "lock", "w") as lock:
        # As if it ran on: nothing can be put in place.
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = stopping.restore(start="echo not now >&2; exit 1")
    assert answer.returncode == 1 and "snikket is running" in answer.stderr, answer.stderr
    assert stopping.asked == ["stop", "start"] and stopping.house.looks() == looks
    done = stopping.restore(start="echo not now >&2; exit 1")
    assert done.returncode == 1 and "not now" in done.stderr and "is as it was at" in done.stdout, done.stderr
    assert stopping.house.config.read_text().endswith("=old\n")
