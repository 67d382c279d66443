"""What a stranger on the network reaches, and what not."""

import http.client
import socket
import ssl

import pytest

from world import web
from world.appliance import Appliance

INTERNAL = [
    "/api", "/api/", "/api/users", "/api/invitations", "/snikket_api", "/snikket_api/users", "/admin_api", "/admin_api/users",
    "/rest", "/metrics", "/status", "/nginx_status", "/oauth2/token", "/register_api", "/invites_api", "/prosody", "/_internal",
    "/snikket_api/ping", "/snikket_api/store", "/snikket_api/modules", "/snikket_api/invitations",
    "/invite/../snikket_api/users", "/.well-known/../snikket_api/users",
    "/http-bind/../snikket_api/users", "/xmpp-websocket/..%2fsnikket_api/users", "/acme", "/snikket.conf", "/.env", "/.git/config"]


@pytest.mark.parametrize("path", INTERNAL)
def test_nothing_internal_is_behind_nginx(appliance: Appliance, path: str) -> None:
    # 404 and nothing else: 401 or 403 would be the chat server's own answer, which has then been reached.
    for name in (appliance.domain, f"share.{appliance.domain}"):
        answer = web.ask(f"https://{name}:{appliance.ports.https}{path}", appliance.trust)
        assert answer.status == 404, (name, path, answer.status, answer.text[:200])
    answer = web.ask(f"https://groups.{appliance.domain}:{appliance.ports.https}{path}", appliance.trust)
    assert answer.status == 301, (path, answer.status, answer.text[:200])
    assert answer.headers["location"] == f"https://{appliance.domain}:{appliance.ports.https}/"


def test_the_internal_port_is_for_this_machine_only(appliance: Appliance) -> None:
    listening = set()
    for table, width in (("/proc/net/tcp", 8), ("/proc/net/tcp6", 32)):
        for line in open(table).read().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, port = local.split(":")
            if state == "0A" and int(port, 16) == appliance.ports.internal:
                listening.add(address[:width])
    loopback = {"0100007F", "00000000000000000000000001000000"}
    assert listening and listening <= loopback, listening


def test_the_api_wants_its_secret(appliance: Appliance) -> None:
    for path in ("/snikket_api/users", "/snikket_api/invitations", "/snikket_api/ping"):
        answer = web.ask(f"http://{appliance.domain}:{appliance.ports.internal}{path}", headers={"Host": appliance.domain})
        assert answer.status in (401, 403), (path, answer.status)


def test_plain_http_leads_to_https(appliance: Appliance) -> None:
    answer = web.ask(f"http://{appliance.domain}:{appliance.ports.http}/invite/abc/")
    assert answer.status in (301, 308)
    assert answer.headers["location"] == f"https://{appliance.domain}:{appliance.ports.https}/invite/abc/"


def test_pages_come_with_strict_headers(appliance: Appliance) -> None:
    headers = appliance.get(appliance.invite()["url"].partition(f":{appliance.ports.https}")[2]).headers
    assert "default-src 'none'" in headers["content-security-policy"] or "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert "max-age=" in headers["strict-transport-security"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "referrer-policy" in headers


def test_a_name_that_is_not_ours_gets_nothing(appliance: Appliance) -> None:
    try:
        answer = web.ask(f"https://{appliance.domain}:{appliance.ports.https}/", appliance.trust, headers={"Host": "other.example.net"})
    except (http.client.HTTPException, ConnectionError):
        return  # nginx hung up without a word
    assert answer.status in (400, 404, 421)


def test_no_certificate_is_shown_to_whoever_asks_for_another_name(appliance: Appliance) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        web.ask(f"https://other.example.net:{appliance.ports.https}/", appliance.trust)


def test_a_stream_to_a_name_that_is_not_ours_is_refused(appliance: Appliance) -> None:
    with socket.create_connection(("127.0.0.1", appliance.ports.client), timeout=10) as connection:
        connection.settimeout(10)
        connection.sendall(
            b"<?xml version='1.0'?><stream:stream to='other.example.net' version='1.0' xmlns='jabber:client'"
            b" xmlns:stream='http://etherx.jabber.org/streams'>")
        said = b""
        while b"</stream:stream>" not in said:
            data = connection.recv(4096)
            if not data:
                break
            said += data
    assert b"host-unknown" in said
