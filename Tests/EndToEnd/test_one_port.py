"""Everything on the port for HTTPS: apps, other servers, calls and pages, told apart before TLS begins."""

import asyncio
import socket
import ssl
from collections.abc import Iterator

import pytest

from world import turn, web
from world.appliance import Appliance, without_pebble
from world.people import Account, register
from world.stream import Stream
from world.waiting import until

RELAY = "turn.chat.example.org"


@pytest.fixture(scope="module")
def shared() -> Iterator[Appliance]:
    settings = {
        "SNIKKET_CERTIFICATE": "internal", "SNIKKET_ALL_ON_HTTPS_PORT": "on", "SNIKKET_TWEAK_TURNSERVER_DOMAIN": RELAY, "SNIKKET_LOGLEVEL": "debug"}
    with without_pebble("shared", settings=settings) as appliance:
        appliance.started().healthy()
        yield appliance


@pytest.fixture(scope="module")
def vera(shared: Appliance) -> Account:
    account = shared.account("vera", "correct horse battery")
    asyncio.run(register(account, shared.invite()["token"]))
    return account


def _connected(appliance: Appliance, name: str, *protocols: str, source: str = "127.0.0.1") -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=appliance.trust)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    connection = socket.create_connection(("127.0.0.1", appliance.ports.https), timeout=10, source_address=(source, 0))
    return context.wrap_socket(connection, server_hostname=name)


def test_an_app_logs_in_on_the_port_for_https_and_keeps_its_address(shared: Appliance, vera: Account) -> None:
    with Stream(shared.domain, shared.ports.https, shared.trust, direct_tls=True) as stream:
        assert stream.socket.selected_alpn_protocol() == "xmpp-client"
        stream.open()
        assert any("SCRAM-SHA-256" in name for name in stream.mechanisms)
        stream.login(vera.username, vera.password)
    with _connected(shared, shared.domain, "xmpp-client", "http/1.1", source="127.0.0.77") as connection:
        assert connection.selected_alpn_protocol() == "xmpp-client"
    log = shared.state / "logs/prosody.log"
    until(lambda: "a connection from 127.0.0.77" in log.read_text(), 10, "Prosody knows who it is from")


def test_another_server_comes_in_there(shared: Appliance) -> None:
    with Stream(shared.domain, shared.ports.https, shared.trust, direct_tls=True, protocol="jabber:server") as stream:
        assert stream.socket.selected_alpn_protocol() == "xmpp-server"
        stream.open(sender="elsewhere.example.org")


@pytest.mark.parametrize("protocols", [("stun.turn",), ()], ids=["by protocol", "by name"])
def test_a_relay_address_is_had_there(shared: Appliance, vera: Account, protocols: tuple[str, ...]) -> None:
    secret = (shared.state / "secrets/turn").read_text().strip()
    address, port = turn.allocate(0, *turn.temporary_credentials(secret), over=_connected(shared, RELAY, *protocols))
    assert address and port


def test_apps_are_told_of_the_relay_there(shared: Appliance, vera: Account) -> None:
    from world.people import logged_in

    async def ask() -> list[dict[str, str]]:
        async with logged_in(vera) as person:
            return await person.turn_services()

    services = asyncio.run(ask())
    assert {service["port"] for service in services if service["type"] == "turns"} == {str(shared.ports.turn_tls), str(shared.ports.https)}
    assert all(service["host"] == RELAY and service["password"] for service in services if service["type"] == "turns")


@pytest.mark.parametrize("change", ["SNIKKET_ALL_ON_HTTPS_PORT=on", "SNIKKET_TWEAK_WEB_PROXY_PROTOS=http"], ids=["one port", "proxy"])
def test_containers_on_a_network_of_their_own_cannot(change: str) -> None:
    with without_pebble("bridge") as appliance:
        appliance.config.write_text(appliance.config.read_text() + change + "\n")
        answer = appliance.snikket("render", "--target", "compose", "--output", str(appliance.folder / "home"))
        assert answer.returncode == 78 and "SNIKKET_CONTAINER_NETWORK=host" in answer.stderr, answer.stdout + answer.stderr
        assert not any((appliance.folder / "home").iterdir()) and not (appliance.state / "containers").exists()


@pytest.mark.parametrize("protocols", [("h2", "http/1.1"), ("http/1.1",), ()], ids=["browser", "program", "old program"])
def test_pages_are_served_there_as_before(shared: Appliance, protocols: tuple[str, ...]) -> None:
    with _connected(shared, shared.domain, *protocols) as connection:
        assert connection.selected_alpn_protocol() == (protocols[0] if protocols else None)
    assert web.ask(shared.invite()["url"], shared.trust).status == 200


def test_each_address_has_attempts_of_its_own(shared: Appliance) -> None:
    def guess(source: str) -> int:
        with _connected(shared, shared.domain, "http/1.1", source=source) as connection:
            connection.sendall(f"GET /invite/guess/ HTTP/1.1\r\nHost: {shared.domain}\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(4096).split()[1])

    statuses = [guess("127.0.0.9") for _ in range(40)]
    # One attempt is given back every two seconds: to the last of them, it may be.
    assert statuses[0] == 404 and 429 in statuses, statuses
    assert guess("127.0.0.10") == 404


def test_who_does_not_say_who_it_is_from_is_not_let_in_behind(shared: Appliance) -> None:
    for line in (b"", b"PROXY TCP4 nonsense\r\n", b"\x16\x03\x01" + b"x" * 200, b"PROXY " + b"x" * 200):
        with socket.create_connection(("127.0.0.1", shared.ports.internal + 1), timeout=5) as connection:
            connection.sendall(line or b"GET / HTTP/1.1\r\n")
            assert _end(connection) == b""
    assert shared.healthy()


def _end(connection: socket.socket) -> bytes:
    """What is said before the end."""
    try:
        return connection.recv(4096)
    except ConnectionResetError:
        return b""
