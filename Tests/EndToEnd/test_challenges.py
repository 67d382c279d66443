"""Certificates without port 80: over the HTTPS port alone (tls-alpn-01), and through DNS (dns-01)."""

import http.client
import ssl
from collections.abc import Iterator

import pytest

from world import web
from world.appliance import Appliance, with_pebble
from world.authority import Authority
from world.challenges import handshake, records, records_of, renewed, taken, with_dns
from world.waiting import until


@pytest.fixture(scope="module")
def one_port() -> Iterator[tuple[Appliance, Authority]]:
    """An appliance that has the HTTPS port only: somebody else has the HTTP port."""
    settings = {"SNIKKET_CHALLENGE": "tls-alpn-01"}
    with with_pebble("one-port", settings=settings) as (appliance, authority), taken(appliance.ports.http):
        yield appliance.started(), authority


def test_a_certificate_comes_over_the_https_port_alone(one_port: tuple[Appliance, Authority]) -> None:
    appliance, authority = one_port
    assert appliance.get("/").status < 500
    # What listens on the HTTP port answers nothing, so none was validated there.
    assert authority.log.count("set VALID by completed challenge") >= 3
    assert "[error]" not in (appliance.state / "logs/nginx.log").read_text()
    assert f"port {appliance.ports.http} is another program's" in appliance.said
    assert appliance.healthy()["certificate"]["last_error"] is None


def test_the_same_port_speaks_http2_and_http1(one_port: tuple[Appliance, Authority]) -> None:
    for protocol in ("h2", "http/1.1"):
        with handshake(one_port[0], alpn=[protocol]) as tls:
            assert tls.selected_alpn_protocol() == protocol
    # A CA offers nothing else; who offers more is somebody else.
    with handshake(one_port[0], alpn=["acme-tls/1", "h2"]) as tls:
        assert tls.selected_alpn_protocol() == "h2"


def test_nobody_answers_for_the_authority_when_it_was_not_asked(one_port: tuple[Appliance, Authority]) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError, OSError)):
        handshake(one_port[0], alpn=["acme-tls/1"], verify=False)
    assert not (one_port[0].state / "run/acme-tls/socket").exists()


def test_the_clients_own_address_arrives(one_port: tuple[Appliance, Authority]) -> None:
    appliance, _ = one_port
    tls = handshake(appliance, f"share.{appliance.domain}", source="127.0.0.77")
    connection = http.client.HTTPConnection(f"share.{appliance.domain}", appliance.ports.https)
    connection.sock = tls
    connection.request("DELETE", "/upload/somebody-elses")
    assert connection.getresponse().status == 403
    connection.close()
    log = appliance.state / "logs/nginx.log"
    until(lambda: "forbidden by rule, client: 127.0.0.77," in log.read_text(), 10, "nginx's log has the client's address")


def test_uploads_and_pages_are_as_large_as_ever(one_port: tuple[Appliance, Authority]) -> None:
    """The portal's page with everything in it, through two hops of nginx."""
    invitation = one_port[0].invite()["url"]
    answer = one_port[0].get(invitation.split(str(one_port[0].ports.https), 1)[1])
    assert answer.status == 200
    assert len(answer.body) > 1000


def test_it_is_renewed_while_nginx_serves(one_port: tuple[Appliance, Authority]) -> None:
    renewed(one_port[0])
    assert one_port[0].healthy()["certificate"]["last_error"] is None


def test_before_the_first_certificate_the_https_port_says_so_in_tls() -> None:
    settings = {"SNIKKET_CHALLENGE": "tls-alpn-01"}
    with with_pebble("one-port-failing", settings=settings) as (appliance, authority):
        authority.forget_addresses()
        appliance.start()
        until(lambda: "snikket: cause:" in appliance.said, 60, "the terminal shows a cause")
        with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
            handshake(appliance, verify=False)
        # The HTTP port is free here, so the page is there too.
        page = web.ask(f"http://{appliance.domain}:{appliance.ports.http}/")
        assert appliance.domain in page.text
        assert appliance.stop() == 0


def test_a_certificate_comes_through_dns() -> None:
    with with_dns("dns") as (appliance, _, server):
        with taken(appliance.ports.http):
            appliance.started()
            added = records(server, "adding")
            assert set(added) == records_of(appliance)
            until(lambda: set(records(server, "deleting")) == records_of(appliance), 20, "the records are taken away")
            renewed(appliance)
            again = records(server, "adding")[len(added):]
            assert set(again) == records_of(appliance)


def test_a_missing_key_is_said_and_does_not_end_it() -> None:
    with with_dns("dns-no-key") as (appliance, _, server):
        server.key_file.unlink()
        appliance.start()
        until(lambda: "snikket: try:" in appliance.said, 60, "the terminal shows what to try")
        assert str(server.key_file) in appliance.said
        assert "SNIKKET_DNS_TSIG_KEY_FILE" in appliance.said
        assert appliance.process is not None and appliance.process.poll() is None, "it gave up"
