"""Behind somebody else's web server: each real one, with the part that `snikket render --target proxy=NAME` prints for it."""

import asyncio
import hashlib
import http.client
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from world import web
from world.appliance import Appliance, scratch, without_pebble
from world.authority import Authority
from world.front import Front, settings_asked_for
from world.people import logged_in, register
from world.ports import BLOCK, free_block

SERVERS = ["nginx", "apache", "caddy", "haproxy", "sslh"]
everywhere = pytest.mark.parametrize("behind", SERVERS, indirect=True, scope="module")
# sslh leaves port 80 to its owner, and cannot say who a connection is from.
except_sslh = pytest.mark.parametrize("behind", SERVERS[:-1], indirect=True, scope="module")


@dataclass
class Behind:
    """An appliance that serves behind another web server."""

    appliance: Appliance
    front: Front
    trust: str

    def url(self, path: str, host: str = "") -> str:
        return f"https://{host or self.appliance.domain}:{self.front.https}{path}"

    @asynccontextmanager
    async def client(self, source: str = "127.0.0.1") -> AsyncIterator[aiohttp.ClientSession]:
        """Somebody at an address, for whom every name is this machine."""
        connector = aiohttp.TCPConnector(
            resolver=_Here(), local_addr=(source, 0), ssl=ssl.create_default_context(cafile=self.trust), force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session


class _Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


def _part(appliance: Appliance, kind: str) -> str:
    answer = appliance.snikket("render", "--target", f"proxy={kind}", *_sets(appliance))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _sets(appliance: Appliance) -> list[str]:
    ports = {"SNIKKET_TWEAK_HTTP_PORT": str(appliance.ports.http), "SNIKKET_TWEAK_HTTPS_PORT": str(appliance.ports.https)}
    return [word for name, value in (appliance.settings | ports).items() for word in ("--set", f"{name}={value}")]


@contextmanager
def _behind(kind: str) -> Iterator[Behind]:
    with scratch(kind) as folder:
        appliance = Appliance(folder)
        own = range(appliance.ports.first, appliance.ports.first + BLOCK)
        port = next(port for port in iter(lambda: free_block(2), None) if port not in own)
        appliance.settings |= {
            "SNIKKET_PUBLIC_HTTP_PORT": str(port), "SNIKKET_PUBLIC_HTTPS_PORT": str(port + 1)}
        # What the program itself asks for.
        refused = appliance.snikket("render", "--target", f"proxy={kind}", *_sets(appliance))
        assert refused.returncode == 78, refused.stdout
        asked = settings_asked_for(refused.stderr)
        assert "SNIKKET_TWEAK_HTTP_PORT" not in asked and asked
        appliance.settings |= asked
        with Authority(folder / "authority", port) as authority:
            appliance.settings |= {"SNIKKET_ACME_DIRECTORY": authority.directory, "SNIKKET_ACME_CA_BUNDLE": str(authority.bundle)}
            appliance._trust = authority.root
            front = Front(kind, folder, port, port + 1)
            try:
                front.serve(_part(appliance, kind), port + 1 if kind == "sslh" else port)
                appliance.started()
                front.serve(_part(appliance, kind), port + 1)
                yield Behind(appliance, front, str(front.own_root or appliance.trust))
            finally:
                front.stop()
                appliance.end()


@pytest.fixture(scope="module")
def behind(request: pytest.FixtureRequest) -> Iterator[Behind]:
    with _behind(request.param) as behind:
        yield behind


@everywhere
def test_pages_are_served_and_links_lead_to_the_port_in_front(behind: Behind) -> None:
    appliance = behind.appliance
    appliance.healthy()
    assert appliance.line("ready ", 1) == behind.url("/")
    link = appliance.invite()["url"]
    assert link.startswith(behind.url("/invite/"))
    page = web.ask(link, behind.trust)
    assert page.status == 200 and appliance.domain in page.text
    assert page.headers["strict-transport-security"]
    groups = web.ask(behind.url("/", f"groups.{appliance.domain}"), behind.trust)
    assert (groups.status, groups.headers["location"]) == (301, behind.url("/"))


@except_sslh
def test_what_comes_without_tls_is_led_to_https(behind: Behind) -> None:
    answer = web.ask(f"http://{behind.appliance.domain}:{behind.front.http}/invite/abc/")
    assert (answer.status, answer.headers["location"]) == (301, behind.url("/invite/abc/"))


@everywhere
def test_xmpp_over_websocket_goes_through(behind: Behind) -> None:
    async def talk() -> None:
        async with behind.client() as client, client.ws_connect(behind.url("/xmpp-websocket"), protocols=["xmpp"]) as stream:
            await stream.send_str(f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{behind.appliance.domain}' version='1.0'/>")
            opened, features = await stream.receive_str(timeout=10), await stream.receive_str(timeout=10)
            assert "<open" in opened and "SCRAM-SHA-256" in features

    asyncio.run(talk())


@everywhere
def test_a_file_of_a_hundred_megabytes_goes_up_and_comes_back(behind: Behind) -> None:
    appliance = behind.appliance
    account = appliance.account("uma", "correct horse battery")
    size = 100 * 1_048_576
    block = bytes(range(256)) * 4096
    digest = hashlib.sha256(block * (size // len(block))).hexdigest()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // len(block)):
            yield block

    async def share() -> None:
        await register(account, appliance.invite()["token"])
        async with logged_in(account) as person, behind.client() as client:
            service = await person.plugin["xep_0363"].find_upload_service(domain=account.domain, timeout=20)
            slot = (await person.plugin["xep_0363"].request_slot(service.get_from(), "large.bin", size, "application/octet-stream", timeout=20))[
                "http_upload_slot"]
            headers = {header["name"]: header["value"] for header in slot["put"]["headers"]}
            assert slot["put"]["url"].startswith(behind.url("/upload/", f"share.{appliance.domain}"))
            async with client.put(slot["put"]["url"], data=pieces(), headers={**headers, "Content-Length": str(size)}) as answer:
                assert answer.status == 201, await answer.text()
            found = hashlib.sha256()
            async with client.get(slot["get"]["url"]) as answer:
                assert answer.status == 200
                async for piece in answer.content.iter_chunked(1 << 20):
                    found.update(piece)
            assert found.hexdigest() == digest

    asyncio.run(share())


@except_sslh
def test_each_address_has_attempts_of_its_own_whatever_it_says_of_itself(behind: Behind) -> None:
    async def guess(source: str, times: int) -> list[int]:
        async with behind.client(source) as client:
            statuses = []
            for number in range(times):
                async with client.get(behind.url("/invite/guessed/"), headers={"X-Forwarded-For": f"198.51.100.{number}"}) as answer:
                    statuses.append(answer.status)
            return statuses

    statuses = asyncio.run(guess("127.0.0.9", 40))
    # One attempt is given back every two seconds: to the last of them, it may be.
    assert statuses[0] == 404 and 429 in statuses, statuses
    assert asyncio.run(guess("127.0.0.10", 1)) == [404]


@everywhere
def test_a_stranger_who_comes_past_it_is_turned_away(behind: Behind) -> None:
    appliance = behind.appliance
    port = appliance.ports.http
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    # On this machine only: nobody else reaches it.
    address = next(line.split()[2].partition("/")[0] for line in _addresses() if not line.split()[2].startswith("127."))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, port), timeout=5)


def _addresses() -> list[str]:
    return [" ".join(line.split()[1:]) for line in subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout.splitlines()]


def test_without_tls_of_its_own_only_the_servers_that_were_named_are_served() -> None:
    settings = {"SNIKKET_CERTIFICATE": "internal", "SNIKKET_TWEAK_WEB_PROXY_PROTOS": "http", "SNIKKET_TRUSTED_PROXIES": "198.51.100.7"}
    with without_pebble("stranger", settings=settings) as appliance:
        appliance.started().healthy()
        here = next(line.split()[2].partition("/")[0] for line in _addresses() if not line.split()[2].startswith("127."))

        def ask(address: str, **fields: str) -> int:
            connection = http.client.HTTPConnection(address, appliance.ports.http, timeout=10)
            connection.request("GET", "/", headers={"Host": appliance.domain, **fields})
            return connection.getresponse().status

        assert ask(here) == 403
        # Saying that one is somebody else does not help.
        assert ask(here, **{"X-Forwarded-For": "198.51.100.7"}) == 403
        # This machine's own probes.
        assert ask("127.0.0.1") == 200
