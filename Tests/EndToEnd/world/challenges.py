"""What a certificate without HTTP challenges needs, for appliances of every kind."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .appliance import Appliance, with_pebble
from .authority import Authority
from .nameserver import NameServer
from .waiting import until


@contextmanager
def taken(port: int) -> Iterator[socket.socket]:
    """A port that is another program's: it takes connections, and answers nothing."""
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server


@contextmanager
def with_dns(name: str, **options: Any) -> Iterator[tuple[Appliance, Authority, NameServer]]:
    """An appliance, not yet started, that shows its names to Pebble by changing a zone of BIND."""
    with with_pebble(name, own_dns=True, **options) as (appliance, authority):
        server = authority.name_server
        assert server is not None
        appliance.settings |= {
            "SNIKKET_CHALLENGE": "dns-01", "SNIKKET_DNS_SERVER": f"127.0.0.1:{server.port}",
            "SNIKKET_DNS_TSIG_KEY_FILE": str(server.key_file)}
        yield appliance, authority, server


def records(server: NameServer, verb: str) -> list[str]:
    """The names of the records of which BIND's log says this, one as often as it does: who hears no answer in time asks again."""
    return re.findall(rf"{verb} an RR at '?(_acme-challenge\.[^' ]+)", server.log)


def records_of(appliance: Appliance) -> set[str]:
    """The names of the records that its certificate needs."""
    return {f"_acme-challenge.{part}{appliance.domain}" for part in ("", "groups.", "share.")}


def handshake(appliance: Appliance, name: str | None = None, alpn: list[str] | None = None, source: str = "127.0.0.1",
              verify: bool = True) -> ssl.SSLSocket:
    """TLS with the HTTPS port, from a loopback address of one's choice."""
    context = ssl.create_default_context(cafile=appliance.trust)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    plain = socket.create_connection(("127.0.0.1", appliance.ports.https), timeout=10, source_address=(source, 0))
    return context.wrap_socket(plain, server_hostname=name or appliance.domain)


def served_serial(appliance: Appliance) -> int:
    with handshake(appliance) as tls:
        certificate = tls.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)


def renewed(appliance: Appliance) -> None:
    """Has the certificate renewed while everything runs, and waits until HTTPS serves the new one."""
    before = served_serial(appliance)
    answer = appliance.snikket("certificate", "renew", seconds=90)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    until(lambda: served_serial(appliance) != before, 60, "another certificate is served")
