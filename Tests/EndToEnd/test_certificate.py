"""The certificate, and that what a client is offered is what a client should insist on."""

import socket
import ssl

from world import web
from world.appliance import Appliance
from world.authority import Authority
from world.people import Account, logged_in
from world.stream import Stream
from world.waiting import until


def test_the_certificate_has_every_name_and_the_chain(appliance: Appliance) -> None:
    with appliance.open_stream() as stream:
        stream.open()
        stream.start_tls()
        certificate = stream.socket.getpeercert()
    names = {value for kind, value in certificate["subjectAltName"] if kind == "DNS"}
    assert names == {appliance.domain, f"groups.{appliance.domain}", f"share.{appliance.domain}"}


def test_https_is_verified_for_every_name_with_a_page(appliance: Appliance) -> None:
    for name in (appliance.domain, f"share.{appliance.domain}"):
        assert web.ask(f"https://{name}:{appliance.ports.https}/", appliance.trust).status < 500


def test_direct_tls_speaks_xmpp_by_alpn(appliance: Appliance) -> None:
    with Stream(appliance.domain, appliance.ports.client_tls, appliance.trust, direct_tls=True) as stream:
        assert stream.socket.selected_alpn_protocol() == "xmpp-client"
        stream.open()
        assert "SCRAM-SHA-256" in stream.mechanisms


def test_an_app_logs_in_over_direct_tls(appliance: Appliance, alice: Account) -> None:
    import asyncio

    async def log_in() -> str:
        async with logged_in(appliance.account(alice.username, alice.password, direct_tls=True)) as person:
            return person.boundjid.bare

    assert asyncio.run(log_in()) == alice.address


def test_only_scram_is_offered_and_only_inside_tls(appliance: Appliance) -> None:
    with appliance.open_stream() as stream:
        stream.open()
        assert stream.mechanisms == set(), "a password could be sent in the clear"
        assert stream.features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls/{urn:ietf:params:xml:ns:xmpp-tls}required") is not None
        stream.start_tls()
        offered = stream.mechanisms
    assert offered >= {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}
    assert all(mechanism.startswith("SCRAM-") for mechanism in offered), offered


def test_old_tls_is_refused_everywhere(appliance: Appliance) -> None:
    for port in (appliance.ports.https, appliance.ports.client_tls):
        old = ssl.create_default_context(cafile=appliance.trust)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            try:
                with old.wrap_socket(plain, server_hostname=appliance.domain) as tls:
                    raise AssertionError(f"port {port} speaks {tls.version()}")
            except (ssl.SSLError, ConnectionResetError):
                pass


def test_other_servers_are_asked_for_tls(appliance: Appliance) -> None:
    with Stream(appliance.domain, appliance.ports.server, appliance.trust, protocol="jabber:server") as stream:
        stream.open()
        stream.start_tls()
        assert stream.socket.version() in ("TLSv1.2", "TLSv1.3")


def _looked_at(certificate: dict) -> dict | None:
    return certificate if len(certificate["served"]) >= 2 else None


def test_the_status_names_the_certificate_that_is_served(appliance: Appliance, authority: Authority) -> None:
    certificate = until(lambda: _looked_at(appliance.status()["certificate"]), 30, "every port was looked at")
    with appliance.open_stream() as stream:
        stream.open()
        stream.start_tls()
        served = stream.socket.getpeercert()
    assert "Pebble" in certificate["issuer"]
    assert int(certificate["serial"], 16) == int(served["serialNumber"], 16)
    assert {int(serial, 16) for serial in certificate["served"].values()} == {int(served["serialNumber"], 16)}
    assert certificate["last_error"] is None
