"""A small blocking XMPP client (RFC 6120): enough to look at a stream's beginning, and to log in fast.

The conversations of people are slixmpp's (people.py); this one exists because it does nothing of its own accord.
"""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import xml.etree.ElementTree as ET

STREAMS = "{http://etherx.jabber.org/streams}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
TLS = "{urn:ietf:params:xml:ns:xmpp-tls}"


class Refused(Exception):
    """The server said no: the name of its condition."""


class Stream:
    """One connection, from TCP to the end of SASL."""

    def __init__(self, domain: str, port: int, trust: str | None, *, direct_tls: bool = False,
                 protocol: str = "jabber:client", seconds: float = 10, host: str = "127.0.0.1"):
        self.domain = domain
        self.protocol = protocol
        self.context = ssl.create_default_context(cafile=trust) if trust else None
        self.features = ET.Element("nothing")
        self.socket: socket.socket | ssl.SSLSocket = socket.create_connection((host, port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(seconds)
        if direct_tls:
            assert self.context is not None
            self.context.set_alpn_protocols(["xmpp-client" if protocol == "jabber:client" else "xmpp-server"])
            self._encrypt()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def _encrypt(self) -> None:
        assert self.context is not None
        self.socket = self.context.wrap_socket(self.socket, server_hostname=self.domain)

    def open(self, sender: str | None = None) -> ET.Element:
        """Opens a stream, naming its `sender` if there is one; the features that the server offers."""
        self.parser = ET.XMLPullParser(["start", "end"])
        self.depth = 0
        self.events: list[ET.Element] = []
        origin = f" from='{sender}'" if sender else ""
        self.send(
            f"<?xml version='1.0'?><stream:stream to='{self.domain}'{origin} version='1.0' xml:lang='en' xmlns='{self.protocol}'"
            f" xmlns:stream='http://etherx.jabber.org/streams'>")
        self.features = self.receive()
        return self.features

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def receive(self) -> ET.Element:
        """The next element at the top of the stream."""
        while not self.events:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError("the stream was closed")
            self.parser.feed(data)
            for kind, element in self.parser.read_events():
                self.depth += 1 if kind == "start" else -1
                if kind == "end" and self.depth == 1:
                    self.events.append(element)
        return self.events.pop(0)

    def start_tls(self, sender: str | None = None) -> ET.Element:
        """Encrypts an open stream and opens it anew; the features offered inside."""
        self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        answer = self.receive()
        if answer.tag != TLS + "proceed":
            raise Refused(answer.tag)
        self._encrypt()
        return self.open(sender)

    @property
    def mechanisms(self) -> set[str]:
        """The SASL mechanisms offered."""
        return {element.text or "" for element in self.features.iter(SASL + "mechanism")}

    def iq(self, kind: str, payload: str, to: str | None = None) -> ET.Element:
        """Asks, and waits for the answer to it."""
        number = base64.b32encode(os.urandom(5)).decode()
        address = f" to='{to}'" if to else ""
        self.send(f"<iq type='{kind}' id='{number}'{address}>{payload}</iq>")
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                return answer

    def login(self, username: str, password: str) -> None:
        """SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677)."""
        nonce = base64.b64encode(os.urandom(18)).decode()
        bare = f"n={username},r={nonce}"
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>{_encode('n,,' + bare)}</auth>")
        challenge = self._challenge(self.receive(), "challenge")
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        if not fields["r"].startswith(nonce):
            raise Refused("the server's nonce does not begin with ours")
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        without_proof = f"c={_encode('n,,')},r={fields['r']}"
        message = ",".join((bare, challenge, without_proof)).encode()
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), message)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature))).decode()
        self.send(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{_encode(f'{without_proof},p={proof}')}</response>")
        outcome = self._challenge(self.receive(), "success")
        expected = base64.b64encode(_hmac(_hmac(salted, b"Server Key"), message)).decode()
        if outcome != f"v={expected}":
            raise Refused("the server did not prove that it knows the password")

    @staticmethod
    def _challenge(element: ET.Element, expected: str) -> str:
        if element.tag != SASL + expected:
            condition = next(iter(element), None)
            raise Refused(condition.tag.partition("}")[2] if condition is not None else element.tag)
        return base64.b64decode(element.text or "").decode()


def sign_in(domain: str, port: int, trust: str, username: str, password: str, seconds: float = 10) -> None:
    """From nothing to SASL success over STARTTLS; raises when it does not get there."""
    with Stream(domain, port, trust, seconds=seconds) as stream:
        stream.open()
        stream.start_tls()
        stream.login(username, password)


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
