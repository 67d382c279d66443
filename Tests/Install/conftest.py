"""What the tests of an installation share: an authority, and for each file of tests a machine of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine import Machine
from world.authority import Authority
from world.ports import free

PORTS = {"http": 80, "https": 443, "client": 5222, "client-tls": 5223, "server": 5269, "turn": 3478}


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A Pebble on this machine, which the installed one reaches over the loopback that both share."""
    taken = {name: port for name, port in PORTS.items() if not free(port)}
    assert not taken, f"these ports of this machine are in use: {taken}"
    with tempfile.TemporaryDirectory(prefix="snikket-vps-") as folder, Authority(Path(folder), 80) as authority:
        yield authority


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@pytest.fixture(scope="module")
def installed(machine: Machine, authority: Authority) -> str:
    """What install.sh printed."""
    machine.done("mkdir", "-p", "/etc/snikket", "/etc/ssl")
    machine.run("tee", "/etc/ssl/test-authority.pem", stdin=authority.bundle.read_text())
    answer = machine.install(
        machine.domain, "admin@example.org", "--agree-tos", "--set", f"SNIKKET_ACME_DIRECTORY={authority.directory}",
        "--set", "SNIKKET_ACME_CA_BUNDLE=/etc/ssl/test-authority.pem")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{machine.journal()}"
    return answer.stdout
