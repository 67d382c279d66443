"""What install.sh refuses before it looks at the machine: with what is wrong, why, and what to try."""

import subprocess

import pytest

from world.appliance import CHECKOUT

WRONG = {
    "a purge without a removal": (["--purge"], "--purge goes with --uninstall only"),
    "the tests' packages with an installation": (["--tests", "chat.example.org", "you@example.org"], "--tests goes with --deps-only only"),
    "a release without the key that it is signed with": (
        ["--from", "/", "chat.example.org", "you@example.org"], "this script does not know whose releases to trust"),
    "a setting that is none": (["--set", "foo=bar"], "--set needs NAME=VALUE"),
    "a folder that is not named": (["--binaries"], "--binaries needs a folder"),
    "a release that is not named": (["--from"], "--from needs a folder or an address"),
    "a release that is not there": (["--from", "no/such/folder"], "--from does not name a folder"),
    "an unknown option": (["--no-such-option"], "there is no option --no-such-option"),
    "a third word": (["chat.example.org", "you@example.org", "please"], "what is `please`?"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_changes_nothing_and_is_told_in_three_parts(what: str) -> None:
    arguments, words = WRONG[what]
    # Without a terminal, so that nothing can be asked.
    answer = subprocess.run(
        [CHECKOUT / "install.sh", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
    assert answer.returncode == 64, answer.stderr
    assert answer.stdout == "", "something was begun"
    first, second, third = answer.stderr.splitlines()
    assert first == f"install: error: {words}"
    assert second.startswith("install: cause: ") and third.startswith("install: try:   ")
