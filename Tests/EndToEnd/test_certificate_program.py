"""`snikket-certs issue` on its own, as scripts may use it."""

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.appliance import installation, scratch
from world.authority import Authority
from world.ports import free_block

NAMES = ["chat.example.org", "groups.chat.example.org", "share.chat.example.org"]


@pytest.fixture
def bench() -> Iterator[tuple[Path, Authority, list[str]]]:
    """A folder, an authority, and the command line for it."""
    with scratch("certs") as folder:
        port = free_block(1)
        with Authority(folder / "authority", port) as authority:
            command = [
                str(installation() / "bin/snikket-certs"), "issue", "--directory", authority.directory,
                "--ca-bundle", str(authority.bundle), "--email", "admin@example.org", "--listen", f"127.0.0.1:{port}",
                "--state", str(folder / "state"), "--output", str(folder / "output")]
            for name in NAMES:
                command += ["--name", name]
            yield folder, authority, command


def run(command: list[str]) -> tuple[int, list[dict], str]:
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return answer.returncode, [json.loads(line) for line in answer.stdout.splitlines()], answer.stderr


def test_it_leaves_a_chain_and_a_key(bench: tuple[Path, Authority, list[str]]) -> None:
    folder, authority, command = bench
    code, events, problem = run(command)
    assert code == 0, (events, problem, authority.log[-2000:])
    assert events, "not one JSON object was printed"
    chain, key = folder / "output/fullchain.pem", folder / "output/privkey.pem"
    assert stat.S_IMODE(key.stat().st_mode) & 0o007 == 0
    intermediate = folder / "intermediate.pem"
    parts = chain.read_text().split("-----END CERTIFICATE-----\n")
    intermediate.write_text(parts[1] + "-----END CERTIFICATE-----\n")
    verified = subprocess.run(
        ["openssl", "verify", "-CAfile", str(authority.root), "-untrusted", str(intermediate), str(chain)],
        capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    text = subprocess.run(["openssl", "x509", "-in", str(chain), "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    for name in NAMES:
        assert f"DNS:{name}" in text
    assert "prime256v1" in text
    public = [
        subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout
        for arguments in (["x509", "-in", str(chain), "-noout", "-pubkey"], ["pkey", "-in", str(key), "-pubout"])]
    assert public[0] == public[1], "the key is not the certificate's"


def test_a_refusal_says_which_name_and_leaves_nothing(bench: tuple[Path, Authority, list[str]]) -> None:
    folder, authority, command = bench
    authority.forget_addresses()
    code, events, problem = run(command)
    assert code not in (0, 64, 78)
    assert any(name in json.dumps(events) + problem for name in NAMES)
    assert not (folder / "output/fullchain.pem").exists()
    authority.know_addresses()
    assert run(command)[0] == 0, "it does not recover"


def test_wrong_usage_is_64_and_says_which_help_there_is(bench: tuple[Path, Authority, list[str]]) -> None:
    _, _, command = bench
    code, _, problem = run(command[:2])
    assert code == 64
    error, cause, remedy = problem.splitlines()
    assert error == "snikket-certs: error: `snikket-certs issue` is not used like this"
    assert cause.startswith("snikket-certs: cause: ") and "--directory" in cause
    assert remedy == "snikket-certs: try:   snikket-certs help issue"
