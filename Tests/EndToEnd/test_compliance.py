"""The XMPP Compliance Suites 2023 (XEP-0479), as far as a client can see them announced."""

import asyncio
import json
import socket
import ssl

from world.appliance import Appliance
from world.people import Account, logged_in

SERVER = {
    "XEP-0030": "http://jabber.org/protocol/disco#info",
    "XEP-0054": "vcard-temp",
    "XEP-0191": "urn:xmpp:blocking",
    "XEP-0199": "urn:xmpp:ping",
    "XEP-0215": "urn:xmpp:extdisco:2",
    "XEP-0280": "urn:xmpp:carbons:2",
}
ACCOUNT = {
    "XEP-0163": "http://jabber.org/protocol/pubsub#publish",
    "XEP-0163 (publish options, for XEP-0223)": "http://jabber.org/protocol/pubsub#publish-options",
    "XEP-0313": "urn:xmpp:mam:2",
    "XEP-0357": "urn:xmpp:push:0",
    "XEP-0398": "urn:xmpp:pep-vcard-conversion:0",
    "XEP-0402": "urn:xmpp:bookmarks:1#compat",
}
ROOM = {
    "XEP-0045": "http://jabber.org/protocol/muc",
    "XEP-0313": "urn:xmpp:mam:2",
    "XEP-0410": "http://jabber.org/protocol/muc#self-ping-optimization",
    "XEP-0421": "urn:xmpp:occupant-id:0",
    "XEP-0425": "urn:xmpp:message-moderate:",
}
STREAM = {
    "XEP-0198": "{urn:xmpp:sm:3}sm",
    "XEP-0352": "{urn:xmpp:csi:0}csi",
    "RFC 6121 (XEP-0237)": "{urn:xmpp:features:rosterver}ver",
}
SASL2 = {
    "XEP-0388": "{urn:xmpp:sasl:2}authentication",
    "XEP-0386": "{urn:xmpp:bind:0}bind",
    "XEP-0484": "{urn:xmpp:fast:0}fast",
    "XEP-0440": "{urn:xmpp:sasl-cb:0}sasl-channel-binding",
}


def missing(wanted: dict[str, str], offered: set[str]) -> dict[str, str]:
    return {
        name: feature for name, feature in wanted.items()
        if not any(offer == feature or (feature.endswith(":") and offer.startswith(feature)) for offer in offered)}


def test_the_server_the_account_and_a_room_announce_the_suites(appliance: Appliance, alice: Account) -> None:
    async def look() -> tuple[set[str], set[str], set[str], set[str]]:
        room = f"compliance@groups.{appliance.domain}"
        async with logged_in(alice) as a:
            joined = await a.plugin["xep_0045"].join_muc_wait(room, "Alice", timeout=20)
            assert joined[0]["muc"]["affiliation"] == "owner"
            return (
                await a.features_of(appliance.domain), await a.features_of(alice.address), await a.features_of(room),
                await a.features_of(f"share.{appliance.domain}"))

    server, account, room, share = asyncio.run(look())
    assert missing(SERVER, server) == {}
    assert missing(ACCOUNT, account) == {}
    assert missing(ROOM, room) == {}
    assert "urn:xmpp:http:upload:0" in share


def test_the_stream_offers_what_phones_need(appliance: Appliance, bob: Account) -> None:
    with appliance.open_stream() as stream:
        stream.open()
        stream.start_tls(sender=bob.address)  # FAST is offered to whoever says who they are
        before = {element.tag for element in stream.features.iter()}
        stream.login(bob.username, bob.password)
        after = {element.tag for element in stream.open()}
    assert missing(SASL2, before) == {}
    assert missing(STREAM, after) == {}


def test_web_clients_find_their_way(appliance: Appliance) -> None:
    answer = appliance.get("/.well-known/host-meta.json")
    assert answer.status == 200
    assert answer.headers.get("access-control-allow-origin") == "*"
    relations = {link["rel"]: link["href"] for link in json.loads(answer.body)["links"] if "href" in link}
    assert relations["urn:xmpp:alt-connections:websocket"].startswith("wss://")
    assert relations["urn:xmpp:alt-connections:xbosh"].startswith("https://")


def test_a_web_client_connects(appliance: Appliance) -> None:
    """RFC 7395: the WebSocket answers on the address that host-meta names."""
    context = ssl.create_default_context(cafile=appliance.trust)
    with socket.create_connection(("127.0.0.1", appliance.ports.https), timeout=10) as plain, \
            context.wrap_socket(plain, server_hostname=appliance.domain) as tls:
        tls.sendall((
            f"GET /xmpp-websocket HTTP/1.1\r\nHost: {appliance.domain}:{appliance.ports.https}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: xmpp\r\n\r\n").encode())
        answer = tls.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 101 "), answer
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
