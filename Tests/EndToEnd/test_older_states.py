"""States of every version that there has been, in the hands of this one; and one of a version that is still to come."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from world.appliance import Appliance, scratch
from world.people import logged_in

STATES = Path(__file__).parent / "states"
# The message in them is years old by now, and has to be there all the same.
INTERNAL = {"SNIKKET_CERTIFICATE": "internal", "SNIKKET_RETENTION_DAYS": "36500"}


def with_state(folder: Path, archive: Path) -> Appliance:
    appliance = Appliance(folder, settings=INTERNAL)
    subprocess.run(["tar", "-C", appliance.state, "-xf", archive], check=True)
    subprocess.run(["chown", "-R", f"{appliance.uid}:{appliance.uid}", appliance.state], check=True)
    return appliance


async def what_was_said(appliance: Appliance) -> list[str]:
    alice, bob = (appliance.account(name, "a password to keep") for name in ("alice", "bob"))
    async with logged_in(alice) as person:
        return await person.archive_with(bob.address)


@pytest.mark.parametrize("version", sorted(int(file.name.split(".")[0]) for file in STATES.glob("*.tar.xz")))
def test_a_state_of_an_earlier_version_is_used_with_all_that_is_in_it(version: int) -> None:
    with scratch("older") as folder:
        appliance = with_state(folder, STATES / f"{version}.tar.xz")
        try:
            appliance.started()
            assert asyncio.run(what_was_said(appliance)) == ["said before the first upgrade"]
            assert int((appliance.state / "version").read_text()) > version
            assert (appliance.state / "undo/from").read_text() == f"{version}\n"
        finally:
            appliance.end()


def test_there_is_a_state_of_every_earlier_version() -> None:
    with scratch("new") as folder:
        appliance = Appliance(folder, settings=INTERNAL)
        try:
            appliance.started()
            newest = int((appliance.state / "version").read_text())
        finally:
            appliance.end()
    assert {f"{version}.tar.xz" for version in range(newest)} == {file.name for file in STATES.glob("*.tar.xz")}


def test_a_state_of_a_newer_version_is_refused_and_left_alone() -> None:
    with scratch("newer") as folder:
        appliance = with_state(folder, STATES / "0.tar.xz")
        try:
            (appliance.state / "version").write_text("99\n")
            before = sorted(path.relative_to(appliance.state) for path in appliance.state.rglob("*"))
            appliance.start()
            assert appliance.process is not None
            assert appliance.process.wait(20) == 78
            assert "made by a newer snikket" in appliance.said
            assert sorted(path.relative_to(appliance.state) for path in appliance.state.rglob("*")) == before
        finally:
            appliance.end()
