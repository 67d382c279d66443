"""What the tests of containers share: an authority that they reach, and the containers."""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import Stack
from world.authority import Authority
from world.people import Account, register
from world.ports import Ports, free_block



def own_address() -> str:
    """An address of this machine that containers on a bridge reach as well."""
    addresses = json.loads(subprocess.run(["ip", "-j", "-4", "addr", "show", "scope", "global"], capture_output=True, check=True).stdout)
    return next(info["local"] for link in addresses for info in link["addr_info"])


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports(free_block())


@pytest.fixture(scope="module")
def authority(ports: Ports) -> Iterator[Authority]:
    with tempfile.TemporaryDirectory(prefix="snikket-pebble-") as folder, Authority(Path(folder), ports.http, address=own_address()) as authority:
        yield authority


@pytest.fixture(scope="module")
def stack(authority: Authority, ports: Ports) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="snikket-containers-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder), authority, ports) as stack:
            stack.wait_until_healthy()
            yield stack


def _registered(stack: Stack, name: str) -> Account:
    account = stack.account(name)
    asyncio.run(register(account, stack.invite()["token"]))
    return account


@pytest.fixture(scope="module")
def alice(stack: Stack) -> Account:
    return _registered(stack, "alice")


@pytest.fixture(scope="module")
def bob(stack: Stack) -> Account:
    return _registered(stack, "bob")
