"""The containers behind a web server of the machine's own: each real one, with the part that `snikket render` prints for it."""

import asyncio
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from stack import Stack
from world import web
from world.authority import Authority
from world.front import Front, settings_asked_for
from world.people import Slot, logged_in, register
from world.ports import Ports, free_block


everywhere = pytest.mark.parametrize("guest", ["nginx", "apache", "caddy", "haproxy"], indirect=True, scope="module")


@dataclass
class Guest:
    stack: Stack
    front: Front

    @property
    def trust(self) -> str:
        return str(self.front.own_root or self.stack.authority.root)


@pytest.fixture(scope="module")
def guest(request: pytest.FixtureRequest) -> Iterator[Guest]:
    kind: str = request.param
    ports, http = Ports(free_block()), free_block(2)
    settings = {
        "SNIKKET_CONTAINER_NETWORK": "host", "SNIKKET_PUBLIC_HTTP_PORT": str(http), "SNIKKET_PUBLIC_HTTPS_PORT": str(http + 1)}
    with tempfile.TemporaryDirectory(prefix="snikket-containers-") as name, Authority(Path(name) / "pebble", http) as authority:
        folder = Path(name)
        folder.chmod(0o755)
        stack = Stack(folder, authority, ports, settings)
        refused = stack.render("--target", f"proxy={kind}")
        assert refused.returncode == 78, refused.stdout
        stack.write_settings(**settings_asked_for(refused.stderr))
        front = Front(kind, folder, http, http + 1)
        try:
            front.serve(_part(stack, kind), http)
            with stack:
                stack.wait_until_healthy()
                # Now there is a certificate.
                front.serve(_part(stack, kind), http + 1)
                yield Guest(stack, front)
        finally:
            front.stop()


def _part(stack: Stack, kind: str) -> str:
    answer = stack.render("--target", f"proxy={kind}")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@everywhere
def test_people_come_in_through_it_and_share_what_is_large(guest: Guest) -> None:
    invitation = guest.stack.invite()
    assert invitation["url"].startswith(f"https://{guest.stack.domain}:{guest.front.https}/invite/")
    page = web.ask(invitation["url"], guest.trust)
    assert page.status == 200
    account = guest.stack.account("dora")
    film = bytes(range(256)) * 4096 * 100  # 100 MB

    async def share() -> Slot:
        await register(account, invitation["token"])
        async with logged_in(account) as person:
            return await person.upload_slot("film.mp4", len(film), "video/mp4")

    slot = asyncio.run(share())
    uploaded = web.ask(slot.put, guest.trust, method="PUT", body=film, headers=slot.headers)
    assert uploaded.status == 201, uploaded.text
    assert web.ask(slot.get, guest.trust).body == film


@everywhere
def test_xmpp_over_websocket_goes_through(guest: Guest) -> None:
    context = ssl.create_default_context(cafile=guest.trust)

    async def talk() -> None:
        # Every name is this machine.
        async with aiohttp.ClientSession() as client, client.ws_connect(
                f"https://127.0.0.1:{guest.front.https}/xmpp-websocket", protocols=["xmpp"], ssl=context, server_hostname=guest.stack.domain,
                headers={"Host": f"{guest.stack.domain}:{guest.front.https}"}) as stream:
            await stream.send_str(f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{guest.stack.domain}' version='1.0'/>")
            opened, features = await stream.receive_str(timeout=10), await stream.receive_str(timeout=10)
            assert "<open" in opened and "SCRAM-SHA-256" in features

    asyncio.run(talk())
