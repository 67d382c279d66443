"""People with slixmpp in their pocket: register, log in, talk, share, meet. TLS is verified as an app would."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from slixmpp import ClientXMPP, Message

SECONDS = 20


@dataclass(frozen=True)
class Account:
    """Who somebody is, and where their server is to be found."""

    username: str
    password: str
    domain: str
    port: int
    trust: str
    direct_tls: bool = False

    @property
    def address(self) -> str:
        return f"{self.username}@{self.domain}"


@dataclass(frozen=True)
class Slot:
    """Where a file is put, with which headers, and where everybody gets it then (XEP-0363)."""

    put: str
    headers: dict[str, str]
    get: str


class Person(ClientXMPP):
    """One logged-in device."""

    def __init__(self, account: Account):
        super().__init__(account.address, account.password)
        self.account = account
        self.ssl_context = ssl.create_default_context(cafile=account.trust)
        self.enable_plaintext = False
        self.enable_starttls = not account.direct_tls
        self.enable_direct_tls = account.direct_tls
        # SCRAM with its channel binding or nothing: a server that only offers less is not good enough.
        self.plugin["feature_mechanisms"].use_mechs = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}
        for plugin in ("xep_0030", "xep_0045", "xep_0059", "xep_0198", "xep_0199", "xep_0280", "xep_0313", "xep_0363"):
            self.register_plugin(plugin)
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.room_inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.add_event_handler("message", self._sort)

    def _sort(self, message: Message) -> None:
        if not message["body"]:
            return
        (self.room_inbox if message["type"] == "groupchat" else self.inbox).put_nowait(message)

    async def next_message(self) -> Message:
        """The next message with words in it."""
        return await asyncio.wait_for(self.inbox.get(), SECONDS)

    async def next_room_message(self, body: str) -> Message:
        """The message `body` in a group chat; what else is said there is passed over."""
        async with asyncio.timeout(SECONDS):
            while True:
                message = await self.room_inbox.get()
                if message["body"] == body:
                    return message

    async def features_of(self, address: str) -> set[str]:
        """What `address` says it can do (XEP-0030)."""
        answer = await self.plugin["xep_0030"].get_info(jid=address, timeout=SECONDS)
        return set(answer["disco_info"]["features"])

    async def archive_with(self, other: str) -> list[str]:
        """What was said to and by `other`, from the server's archive (XEP-0313)."""
        said = []
        async with asyncio.timeout(SECONDS):
            async for result in self.plugin["xep_0313"].iterate(with_jid=other):
                said.append(result["mam_result"]["forwarded"]["stanza"]["body"])
        return said

    async def upload_slot(self, name: str, size: int, kind: str) -> Slot:
        service = await self.plugin["xep_0363"].find_upload_service(domain=self.account.domain, timeout=20)
        assert service is not None, "no upload service announced"
        found = (await self.plugin["xep_0363"].request_slot(service["from"], name, size, kind, timeout=20))["http_upload_slot"]
        headers = {header["name"]: header["value"] for header in found["put"]["headers"]}
        return Slot(found["put"]["url"], {"Content-Type": kind, **headers}, found["get"]["url"])

    async def turn_services(self) -> list[dict[str, str]]:
        """The STUN and TURN services, with credentials (XEP-0215)."""
        iq = self.make_iq_get(ito=self.account.domain)
        iq.xml.append(ET.Element("{urn:xmpp:extdisco:2}services"))
        answer = await iq.send(timeout=SECONDS)
        return [dict(service.attrib) for service in answer.xml.iter("{urn:xmpp:extdisco:2}service")]


class LoginFailed(Exception):
    """The server did not let somebody in."""


@asynccontextmanager
async def logged_in(account: Account) -> AsyncIterator[Person]:
    """A person who has logged in, said that they are there, and logs out at the end."""
    person = Person(account)
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def settle(word: str) -> None:
        if not outcome.done():
            outcome.set_result(word)

    person.add_event_handler("session_start", lambda _: settle("in"))
    person.add_event_handler("failed_all_auth", lambda _: settle("refused"))
    person.add_event_handler("connection_failed", lambda error: settle(f"no connection: {error}"))
    person.add_event_handler("ssl_invalid_chain", lambda error: settle(f"not trusted: {error}"))
    person.connect("127.0.0.1", account.port)
    try:
        word = await asyncio.wait_for(outcome, SECONDS)
        if word != "in":
            raise LoginFailed(word)
        person.send_presence()
        await person.get_roster(timeout=SECONDS)
        yield person
    finally:
        person.cancel_connection_attempt()
        await asyncio.wait_for(person.disconnect(), SECONDS)


class RegistrationRefused(Exception):
    """The condition (RFC 6120 §8.3.3) that the server refused with, and at which step."""

    def __init__(self, step: str, condition: str):
        super().__init__(f"{step}: {condition}")
        self.step = step
        self.condition = condition


async def register(account: Account, token: str | None) -> None:
    """Makes an account in-band (XEP-0077), with an invitation (XEP-0445) when there is a token."""
    client = Person(account)
    outcome: asyncio.Future[tuple[str, str] | None] = asyncio.get_running_loop().create_future()

    async def instead_of_logging_in(_features: object) -> bool:
        step = "invitation"
        try:
            if token is not None:
                preauth = client.make_iq_set(ito=account.domain)
                preauth.xml.append(ET.Element("{urn:xmpp:pars:0}preauth", {"token": token}))
                await preauth.send(timeout=SECONDS)
            step = "registration"
            request = client.make_iq_set(ito=account.domain)
            query = ET.SubElement(request.xml, "{jabber:iq:register}query")
            ET.SubElement(query, "{jabber:iq:register}username").text = account.username
            ET.SubElement(query, "{jabber:iq:register}password").text = account.password
            await request.send(timeout=SECONDS)
            outcome.set_result(None)
        except Exception as error:  # slixmpp's IqError, IqTimeout: both carry a condition
            outcome.set_result((step, getattr(error, "condition", type(error).__name__)))
        return True

    client._always_send_everything = True  # slixmpp otherwise keeps everything until somebody is logged in
    client.register_feature("mechanisms", instead_of_logging_in, restart=True, order=99)
    client.connect("127.0.0.1", account.port)
    try:
        problem = await asyncio.wait_for(outcome, SECONDS)
    finally:
        client.cancel_connection_attempt()
        await asyncio.wait_for(client.disconnect(), SECONDS)
    if problem:
        raise RegistrationRefused(*problem)
