"""A backup knows the servers' users by name: on another machine, where they have other numbers, everything is theirs again."""

import asyncio
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from world.appliance import scratch, without_pebble
from world.backups import House, verify
from world.people import logged_in, register
from world.small_disk import small_disk

FOLDERS = {"prosody": "snikket-prosody", "portal": "snikket-portal", "certificates": "snikket-certs", "acme": "snikket-certs"}


def owners(state: Path) -> dict[str, str]:
    """Who the files of the servers' folders belong to."""
    found = {}
    for folder in FOLDERS:
        for path in (state / folder, *(state / folder).rglob("*")):
            found[str(path.relative_to(state))] = pwd.getpwuid(path.lstat().st_uid).pw_name
    return found


def renumber(name: str, number: int) -> None:
    subprocess.run(["usermod", "--uid", str(number), name], check=True, capture_output=True)
    subprocess.run(["groupmod", "--gid", str(number), name], check=True, capture_output=True)


def test_the_users_of_another_machine_have_other_numbers(users: dict[str, int]) -> None:
    with without_pebble("owners", as_root=True) as appliance:
        appliance.config.write_text(appliance.config.read_text() + "SNIKKET_CERTIFICATE=internal\n")
        appliance.started()
        carol = appliance.account("carol", "battery horse correct")
        asyncio.run(register(carol, appliance.invite()["token"]))
        file = appliance.folder / "backup.tar.zst"
        made = appliance.snikket("backup", "create", "--to", str(file), seconds=60)
        assert made.returncode == 0, made.stderr
        appliance.healthy()
        # Whoever looks at the database while it is in use leaves nothing of root's beside it.
        assert {name: owner for name, owner in owners(appliance.state).items() if owner != FOLDERS[name.split("/")[0]]} == {}
        assert verify(file).returncode == 0
        assert appliance.stop() == 0
        before = {user: pwd.getpwnam(user) for user in {*FOLDERS.values()}}
        try:
            for number, user in enumerate(sorted(before)):
                renumber(user, 59_950 + number)
            # What is rendered is another machine's own.
            shutil.rmtree(appliance.state / "run")
            restored = appliance.snikket("restore", str(file), "--yes", seconds=60)
            assert restored.returncode == 0, restored.stderr
            found = owners(appliance.state)
            assert found and {name: owner for name, owner in found.items() if owner != FOLDERS[name.split("/")[0]]} == {}
            assert (appliance.state / "prosody/prosody.sqlite").stat().st_uid == 59_950 + sorted(before).index("snikket-prosody")
            assert os.stat(appliance.state / "secrets/api").st_uid == 0
            appliance.started().healthy()

            async def look() -> None:
                async with logged_in(carol):
                    pass

            asyncio.run(look())
            assert appliance.stop() == 0
        finally:
            for user, entry in before.items():
                renumber(user, entry.pw_uid)


def test_a_server_that_was_broken_into_cannot_have_others_files_backed_up(users: dict[str, int]) -> None:
    with without_pebble("astray", as_root=True) as appliance:
        appliance.config.write_text(appliance.config.read_text() + "SNIKKET_CERTIFICATE=internal\n")
        appliance.started()
        secret = appliance.folder / "shadow"
        secret.write_text("root's own")
        secret.chmod(0o600)
        prosody = appliance.state / "prosody"
        for link in ("astray.sqlite", "astray.bin"):
            (prosody / link).symlink_to(secret)
            os.chown(prosody / link, users["prosody"], users["prosody"], follow_symlinks=False)
        file = appliance.folder / "backup.tar.zst"
        made = appliance.snikket("backup", "create", "--to", str(file), seconds=60)
        assert made.returncode == 1 and "astray" in made.stderr, made.stderr
        assert not file.exists()
        assert appliance.stop() == 0


def test_room_is_left_on_the_disk_for_what_people_write() -> None:
    with scratch("room") as folder:
        house = House(folder)
        with small_disk(house.state, 64) as disk:
            house.furnish("old")
            house.remember()
            disk.fill(leave=12 << 20)
            refused = house.run("backup", "create")
            assert refused.returncode == 1 and "there is not enough room" in refused.stderr, refused.stderr
            assert not (house.state / "backup-staging").exists() and list((house.state / "backups").iterdir()) == []
            disk.make_room()
            made = house.run("backup", "create")
            assert made.returncode == 0, made.stderr


def test_what_a_stranger_calls_his_files_does_not_steer_the_terminal() -> None:
    with scratch("names") as folder:
        house = House(folder)
        (house.elsewhere / "snikket-\x1b[2Jevil\u202e-20260101T000000Z.tar.zst").touch()
        listed = house.run("backup", "list", "--from", str(house.elsewhere))
        assert listed.returncode == 0 and "evil" in listed.stdout, listed.stderr
        assert "\x1b" not in listed.stdout and "\u202e" not in listed.stdout
        missing = verify(house.elsewhere / "no\x1b[2Jne")
        assert missing.returncode == 64, missing.stderr
        assert "\x1b" not in missing.stderr
