"""As root on a machine where nobody has installed anything: what is missing first is told first, and not the servers' users."""

import subprocess
from pathlib import Path

import pytest

from world.appliance import CONFIGURATION, installation, scratch

CASES = {
    "restore": (["restore", "{folder}/none"], 64, "there is no backup"),
    "show": (["certificate", "show"], 78, "there are no settings yet"),
    "upgrade": (["upgrade", "--check"], 78, "releases come from"),
}


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """With a list of users that has root only, in a mount namespace."""
    (folder / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    command = [str(installation() / "bin/snikket"), *arguments, "--config", str(folder / "snikket.conf"), "--state", str(folder / "state")]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'mount --bind {folder}/passwd /etc/passwd && exec "$@"', "sh", *command],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("what", CASES)
def test_what_is_missing_is_told_before_the_users_that_are(what: str) -> None:
    arguments, code, error = CASES[what]
    with scratch("nobody") as folder:
        answer = run(folder, *(argument.format(folder=folder) for argument in arguments))
        assert answer.returncode == code and error in answer.stderr, answer.stderr
        assert "snikket-prosody" not in answer.stderr


def test_who_starts_it_all_the_same_is_told_of_the_users() -> None:
    with scratch("nobody") as folder:
        (folder / "snikket.conf").write_text(CONFIGURATION)
        answer = run(folder, "up")
        assert answer.returncode == 1 and "the user snikket-prosody does not exist" in answer.stderr, answer.stderr
