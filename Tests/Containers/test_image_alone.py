"""A machine that has an engine and nothing of ours but the image: it renders, and makes and restores backups, by itself."""

import asyncio
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import IMAGE, PODMAN, Stack
from world.authority import Authority
from world.people import logged_in, register
from world.ports import Ports


class WithoutPackage(Stack):
    """Commands on the machine are the image's own program, as docs/containers.md has it: one folder with everything, at its own place."""

    def snikket(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PODMAN, "run", "--rm", "--user", "0:0", "--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
             "-v", f"{self.folder}:{self.folder}", "-e", f"SNIKKET_CONFIG={self.config}", "-e", f"SNIKKET_STATE={self.state}", IMAGE, *arguments],
            capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def alone(authority: Authority, ports: Ports) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="snikket-alone-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with WithoutPackage(folder, authority, ports) as stack:
            stack.wait_until_healthy()
            yield stack


def test_what_it_has_rendered_serves(alone: Stack) -> None:
    answer = alone.snikket("render", "--target", "compose")
    assert answer.returncode == 0, answer.stderr
    assert (alone.folder / "containers/compose.yaml").read_bytes() == (alone.folder / "compose.yaml").read_bytes()
    refused = alone.snikket("render", "--target", "compose", "--set", "SNIKKET_SITE_NAME=Kitchen")
    assert refused.returncode == 64, refused.stderr


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_backup_is_made_while_they_run_and_brings_everything_back(alone: Stack, is_encrypted: bool) -> None:
    account = alone.account(f"anna{int(is_encrypted)}")
    encrypt, opening = [], []
    if is_encrypted:
        key = alone.folder / "key"
        subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
        recipient = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
        encrypt, opening = ["--encrypt-to", recipient], ["--identity", str(key)]

    async def note(body: str) -> None:
        async with logged_in(account) as person:
            person.send_message(mto=account.address, mbody=body, mtype="chat")
            assert (await person.next_message())["body"] == body

    async def notes() -> list[str]:
        async with logged_in(account) as person:
            return await person.archive_with(account.address)

    asyncio.run(register(account, alone.invite()["token"]))
    asyncio.run(note("before"))
    file = alone.folder / f"backups/one{int(is_encrypted)}"
    made = alone.snikket("backup", "create", "--to", str(file), *encrypt)
    assert made.returncode == 0, made.stderr
    good = alone.snikket("backup", "verify", str(file), *opening)
    assert good.returncode == 0 and "accounts, " in good.stdout and "sound" in good.stdout, good.stdout + good.stderr
    asyncio.run(note("after"))

    refused = alone.snikket("restore", str(file), "--yes", *opening)
    assert refused.returncode == 1 and "snikket is running" in refused.stderr, refused.stderr
    assert alone.compose("down", "-t", "20").returncode == 0
    restored = alone.snikket("restore", str(file), "--yes", *opening)
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.splitlines()[-1].startswith("now: snikket render"), restored.stdout
    assert alone.render("--target", "compose", "--output", str(alone.folder)).returncode == 0
    alone.up()
    alone.wait_until_healthy()
    assert asyncio.run(notes())[-1:] == ["before"]
