"""All containers on the machine's network, with everything on one port below 1024; nothing that is there already is looked at again here."""

import asyncio
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import SERVICES, Stack
from world import turn, web
from world.authority import Authority
from world.people import Account, logged_in, register
from world.ports import Ports, free, free_block
from world.stream import Stream

RELAY = "turn.chat.example.org"
BIND_SERVICE = 1 << 10  # CAP_NET_BIND_SERVICE


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    ports = Ports(free_block())
    https = next(port for port in range(1_023, 600, -1) if free(port))
    settings = {
        "SNIKKET_CONTAINER_NETWORK": "host", "SNIKKET_ALL_ON_HTTPS_PORT": "on", "SNIKKET_TWEAK_TURNSERVER_DOMAIN": RELAY,
        "SNIKKET_TWEAK_HTTPS_PORT": str(https)}
    with tempfile.TemporaryDirectory(prefix="snikket-containers-") as folder, Authority(Path(folder) / "pebble", ports.http) as authority:
        Path(folder).chmod(0o755)
        with Stack(Path(folder), authority, ports, settings) as stack:
            stack.wait_until_healthy()
            yield stack


def _https(stack: Stack) -> int:
    return int(stack.settings["SNIKKET_TWEAK_HTTPS_PORT"])


@pytest.fixture(scope="module")
def carol(stack: Stack) -> Account:
    account = stack.account("carol")
    asyncio.run(register(account, stack.invite()["token"]))
    return account


def test_only_the_web_server_has_a_right_and_it_is_that_one(stack: Stack) -> None:
    for service in SERVICES:
        rights = {
            line.split(":\t")[0]: int(line.split(":\t")[1], 16)
            for line in stack.lua(service, "io.write(io.open('/proc/self/status'):read('a'))").splitlines() if line.startswith("Cap")}
        assert rights["CapBnd"] == (BIND_SERVICE if service == "nginx" else 0), (service, rights)


def test_a_page_an_app_and_a_call_come_in_on_that_port(stack: Stack, carol: Account) -> None:
    page = web.ask(stack.invite()["url"], str(stack.authority.root))
    assert page.status == 200 and stack.domain in page.text
    with Stream(stack.domain, _https(stack), str(stack.authority.root), direct_tls=True) as stream:
        stream.open()
        stream.login(carol.username, carol.password)
    context = ssl.create_default_context(cafile=str(stack.authority.root))
    context.set_alpn_protocols(["stun.turn"])
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", _https(stack)), timeout=10), server_hostname=RELAY)
    secret = (stack.state / "secrets/turn").read_text().strip()
    address, port = turn.allocate(0, *turn.temporary_credentials(secret), over=connection)
    assert address and port


def test_two_apps_talk_on_the_usual_port(stack: Stack, carol: Account) -> None:
    async def talk() -> None:
        async with logged_in(carol) as person, logged_in(carol) as other:
            person.send_message(mto=other.boundjid, mbody="hello myself", mtype="chat")
            assert (await other.next_message())["body"] == "hello myself"

    asyncio.run(talk())
