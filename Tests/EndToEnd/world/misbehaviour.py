"""A proxy in front of a real authority that misbehaves at one step or several, and remembers everything it was asked.

Pebble makes its URLs of the Host header, and checks the signed URL against it: so what passes through here needs no changes.
"""

import base64
import http.client
import json
import os
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .authority import Authority

STEPS = ["directory", "newNonce", "newAccount", "newOrder", "authorization", "challenge", "order", "finalize", "certificate"]
_PLACES = [
    (r"/dir$", "directory"), (r"/nonce-plz", "newNonce"), (r"/sign-me-up", "newAccount"), (r"/order-plz", "newOrder"),
    (r"/authZ/", "authorization"), (r"/chalZ/", "challenge"), (r"/my-order/", "order"), (r"/finalize-order/", "finalize"),
    (r"/certZ/", "certificate"), (r"/(draft-.*/)?renewalInfo", "renewalInfo")]


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> dict:
        return json.loads(self.body)

    def changed(self, status: int | None = None, body: bytes | None = None, **headers: str | None) -> "Answer":
        """A copy with another status, body, or headers (`retry_after="3"`); None takes a header away."""
        kept = [(key, value) for key, value in self.headers if key.lower().replace("-", "_") not in headers]
        added = [(key.replace("_", "-"), value) for key, value in headers.items() if value is not None]
        return Answer(status or self.status, kept + added, self.body if body is None else body)

    def with_json(self, change: Callable[[dict], None]) -> "Answer":
        document = self.json()
        change(document)
        return self.changed(body=json.dumps(document).encode())


@dataclass
class Asked:
    """One request, as it came in."""

    at: float
    step: str
    method: str
    path: str
    payload: bytes | None


@dataclass
class Exchange:
    """One request under way: what a fault works with."""

    proxy: "MisbehavingAuthority"
    connection: "socket.socket"
    step: str
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    upstream: http.client.HTTPSConnection
    number: int = 0  # how often this step was asked for before
    is_over: bool = False  # the connection cannot be used any more

    @property
    def payload(self) -> bytes | None:
        """What was signed; None for what is no JWS."""
        try:
            text = json.loads(self.body)["payload"]
        except (ValueError, KeyError, TypeError):
            return None
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def forward(self) -> Answer:
        """Asks the real authority."""
        self.upstream.request(self.method, self.path, body=self.body or None, headers=dict(self.headers))
        response = self.upstream.getresponse()
        kept = [pair for pair in response.getheaders() if pair[0].lower() not in ("connection", "content-length", "transfer-encoding")]
        return Answer(response.status, kept, response.read())

    def reply(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} Whatever", *(f"{key}: {value}" for key, value in answer.headers)]
        if answer.status not in (204, 304) and not 100 <= answer.status < 200:
            lines.append(f"Content-Length: {len(answer.body)}")
        head = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
        self.send(head + (b"" if self.method == "HEAD" else answer.body))

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        """Breaks the connection with a TCP RST."""
        self.is_over = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def hang(self) -> None:
        """Says nothing until the other side gives up."""
        self.is_over = True
        self.proxy.ended.wait(60)


Fault = Callable[[Exchange], None]


@dataclass
class MisbehavingAuthority:
    authority: Authority
    faults: dict[str, Fault] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked: list[Asked] = []
        self.csr: bytes | None = None
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority_file(self.authority, "acme-server.pem"), authority_file(self.authority, "acme-server.key"))
        self._upstream_context = ssl.create_default_context(cafile=str(self.authority.bundle))

    def __enter__(self) -> "MisbehavingAuthority":
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.directory = f"https://127.0.0.1:{self._listening.getsockname()[1]}/dir"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        # Closing alone would not wake up whoever waits in accept().
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def of(self, step: str) -> list[Asked]:
        with self._lock:
            return [asked for asked in self.asked if asked.step == step]

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with self._lock:
            self._open.add(plain)
        connection = plain
        upstream = http.client.HTTPSConnection("127.0.0.1", self.authority.acme_port, context=self._upstream_context, timeout=30)
        try:
            plain.settimeout(60)
            connection = self._context.wrap_socket(plain, server_side=True)
            rest = b""
            while (read := self._read(connection, rest)) is not None:
                exchange, rest = read
                exchange.upstream = upstream
                self._answer(exchange)
                if exchange.is_over:
                    return
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the other side has gone: what it made of it is what the tests look at
        finally:
            upstream.close()
            with self._lock:
                self._open.discard(plain)
            connection.close()

    def _read(self, connection: socket.socket, data: bytes) -> tuple[Exchange, bytes] | None:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
        length = next((int(value) for key, value in headers if key.lower() == "content-length"), 0)
        while len(data) < length:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        step = next((step for pattern, step in _PLACES if re.match(pattern, path)), "elsewhere")
        exchange = Exchange(self, connection, step, method, path, headers, data[:length], None)  # type: ignore[arg-type]
        return exchange, data[length:]

    def _answer(self, exchange: Exchange) -> None:
        payload = exchange.payload
        with self._lock:
            exchange.number = sum(asked.step == exchange.step for asked in self.asked)
            self.asked.append(Asked(time.monotonic(), exchange.step, exchange.method, exchange.path, payload))
        if exchange.step == "finalize" and payload:
            csr = json.loads(payload)["csr"]
            self.csr = base64.urlsafe_b64decode(csr + "=" * (-len(csr) % 4))
        fault = self.faults.get(exchange.step) or self.faults.get("every")
        if fault:
            fault(exchange)
        else:
            exchange.reply(exchange.forward())


def authority_file(authority: Authority, name: str) -> str:
    return str(authority.folder / name)
