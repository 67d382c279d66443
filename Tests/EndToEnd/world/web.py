"""HTTP and HTTPS to an appliance on this machine, whatever name the URL has; TLS is verified for that name."""

import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class _Loopback(http.client.HTTPConnection):
    def __init__(self, name: str, port: int, context: ssl.SSLContext | None):
        super().__init__(name, port, timeout=10)
        self.context = context

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        if self.context:
            self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)


def ask(url: str, trust: str | None = None, *, method: str = "GET", body: bytes | None = None,
        headers: dict[str, str] | None = None) -> Answer:
    """One request. `trust` is a PEM file of roots; an HTTPS URL needs it."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    context = ssl.create_default_context(cafile=trust) if secure else None
    port = parts.port or (443 if secure else 80)
    connection = _Loopback(parts.hostname or "", port, context)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()
