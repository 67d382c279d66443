"""A mail server of our own: takes what is handed in with a password, over TLS."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from .ports import free_block


@dataclass
class Mailbox:
    port: int
    user: str = "snikket@example.org"
    password: str = "s3cret with space"
    messages: list[Message] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://snikket%40example.org:s3cret%20with%20space@127.0.0.1:{self.port}/"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        self.senders.append(envelope.mail_from)
        self.was_encrypted.append(session.ssl is not None)
        return "250 taken"


@contextmanager
def mailbox(folder: Path) -> Iterator[Mailbox]:
    """On loopback, until the end of the block. Its certificate is its own."""
    key, certificate = folder / "mail.key", folder / "mail.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box = Mailbox(free_block(1))

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, login: LoginPassword) -> AuthResult:
        return AuthResult(success=(login.login.decode(), login.password.decode()) == (box.user, box.password))

    controller = Controller(
        box, hostname="127.0.0.1", port=box.port, tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True,
        ready_timeout=60)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
