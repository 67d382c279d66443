"""A server that was broken into, and swaps what it has for links while root makes backups: nothing comes of it elsewhere."""

import os
import subprocess

from world.appliance import installation, scratch
from world.backups import House, verify

# As fast as it can: a link in the place of the copy of its database, and a folder in the place of the database itself.
MISCHIEF = """
import os, sys
state, victim = sys.argv[1:]
data, other = f"{state}/prosody/prosody.sqlite", f"{state}/prosody/other.sqlite"
print("begun", flush=True)
while True:
    try:
        for number in range(4):
            copy = f"{state}/backup-staging/databases/{number}/copy"
            if os.path.lexists(copy):
                os.symlink(victim, copy + ".link")
                os.rename(copy + ".link", copy)
    except OSError:
        pass
    try:
        os.rename(data, other)
        os.mkdir(data)
        open(f"{data}/evil", "w").close()
        os.unlink(f"{data}/evil")
        os.rmdir(data)
    except OSError:
        pass
    try:
        os.rename(other, data)
    except OSError:
        pass
"""


def test_a_server_that_swaps_its_files_for_links_meanwhile_has_nothing_written_or_removed_elsewhere(users: dict[str, int]) -> None:
    with scratch("astray") as folder:
        house = House(folder)
        house.furnish("old")
        victim = house.folder / "victim"
        victim.mkdir()
        (victim / "kept").write_text("root's own")
        for path in (house.state / "prosody", *(house.state / "prosody").rglob("*")):
            os.chown(path, users["prosody"], users["prosody"], follow_symlinks=False)
        for path in (folder, house.state):
            path.chmod(0o755)
        command = [str(installation() / "bin/snikket"), "backup", "create", "--config", str(house.config), "--state", str(house.state)]
        with subprocess.Popen(
                ["/usr/bin/python3", "-c", MISCHIEF, str(house.state), str(victim)], user=users["prosody"], group=users["prosody"],
                extra_groups=[], stdout=subprocess.PIPE, text=True) as mischief:
            try:
                assert mischief.stdout and mischief.stdout.readline() == "begun\n"
                for number in range(12):
                    file = house.elsewhere / f"{number}.tar.zst"
                    made = subprocess.run(
                        [*command, "--to", str(file)], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
                    assert made.returncode in (0, 1), made.stderr
                    if made.returncode == 0:
                        assert verify(file).returncode in (0, 1)
                    assert [path.name for path in victim.iterdir()] == ["kept"] and (victim / "kept").read_text() == "root's own"
                    assert not (house.state / "backup-staging").exists(), "what is staged is removed, whatever is in it"
            finally:
                mischief.kill()
