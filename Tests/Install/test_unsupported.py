"""Where it cannot be installed install.sh says so, and touches nothing. No machine is needed: it ends before it changes anything."""

import subprocess
from pathlib import Path

import pytest

from machine import CHECKOUT

DEBIAN = 'ID=debian\nVERSION_ID="12"\n'
# What the system says of itself, whether systemd runs on it, and the words.
UNSUPPORTED = {
    "Ubuntu": ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n', True, ("this system is not supported", "it is ubuntu", "use Debian 12 or 13")),
    "Debian 11": ('ID=debian\nVERSION_ID="11"\n', True, ("Debian 11 is too old", "it has no Prosody 13", "use Debian 12 or 13")),
    "nameless": ("", True, ("this system is not supported", "it is unknown", "use Debian 12 or 13")),
    "without systemd": (DEBIAN, False, ("systemd does not run on this machine", "a service of systemd", "./install.sh --try")),
}


@pytest.mark.parametrize("system", UNSUPPORTED)
def test_a_system_that_is_not_supported_is_named(system: str, tmp_path: Path) -> None:
    release, has_systemd, words = UNSUPPORTED[system]
    (tmp_path / "os-release").write_text(release)
    (tmp_path / "systemd").mkdir()
    if has_systemd:
        (tmp_path / "systemd/system").mkdir()
    answer = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", """
            mkdir -p /run/systemd
            mount --bind "$1/os-release" /etc/os-release
            mount --bind "$1/systemd" /run/systemd
            exec "$2" chat.example.org admin@example.org --agree-tos --binaries /nowhere""", "sh", tmp_path, CHECKOUT / "install.sh"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert answer.returncode == 1 and answer.stdout == "", answer.stdout + answer.stderr
    assert [line.split(":")[1].strip() for line in answer.stderr.splitlines()] == ["error", "cause", "try"], answer.stderr
    for word in words:
        assert word in answer.stderr
