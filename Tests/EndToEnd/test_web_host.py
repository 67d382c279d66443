"""A domain that is already a website: addresses are at example.org, and chat.example.org serves.

The website and the chat service are on one machine here, behind the website's nginx, with the part and the lines that `snikket render` prints.
"""

import asyncio
import socket
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from world import web
from world.appliance import Appliance, scratch
from world.authority import Authority
from world.front import Front
from world.people import logged_in, register
from world.ports import BLOCK, free_block

DOMAIN, HOST = "example.org", "chat.example.org"


@dataclass
class Website:
    appliance: Appliance
    front: Front
    # The website's own certificate.
    certificate: str


def _printed(appliance: Appliance, target: str) -> str:
    ports = {"SNIKKET_TWEAK_HTTP_PORT": str(appliance.ports.http), "SNIKKET_TWEAK_HTTPS_PORT": str(appliance.ports.https)}
    sets = [word for name, value in (appliance.settings | ports).items() for word in ("--set", f"{name}={value}")]
    answer = appliance.snikket("render", "--target", target, *sets)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def website() -> Iterator[Website]:
    with scratch("website") as folder:
        appliance = Appliance(folder, configuration=f"SNIKKET_DOMAIN={DOMAIN}\nSNIKKET_ADMIN_EMAIL=admin@{DOMAIN}\nSNIKKET_WEB_HOST={HOST}\n")
        appliance.domain = DOMAIN
        own = range(appliance.ports.first, appliance.ports.first + BLOCK)
        http = next(port for port in iter(lambda: free_block(2), None) if port not in own)
        front = Front("nginx", folder, http, http + 1)
        certificate = front.folder / "website.pem"
        subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={DOMAIN}",
            "-addext", f"subjectAltName=DNS:{DOMAIN}", "-keyout", str(front.folder / "website.key"), "-out", str(certificate)],
            check=True, capture_output=True)
        with Authority(folder / "authority", http) as authority:
            appliance.settings |= {
                "SNIKKET_ACME_DIRECTORY": authority.directory, "SNIKKET_ACME_CA_BUNDLE": str(authority.bundle),
                "SNIKKET_TWEAK_WEB_PROXY_PROTOS": "http", "SNIKKET_PUBLIC_HTTP_PORT": str(http), "SNIKKET_PUBLIC_HTTPS_PORT": str(http + 1)}
            appliance._trust = authority.root
            own_pages = f"""
                server {{
                    listen {http}; listen {http + 1} ssl; server_name {DOMAIN};
                    ssl_certificate {certificate}; ssl_certificate_key {front.folder}/website.key;
                    location / {{ return 200 "a website"; }}
                    {_printed(appliance, "website=nginx")}
                }}"""
            try:
                front.serve(_printed(appliance, "proxy=nginx") + own_pages, http)
                appliance.started()
                front.serve(_printed(appliance, "proxy=nginx") + own_pages, http + 1)
                yield Website(appliance, front, str(certificate))
            finally:
                front.stop()
                appliance.end()


def test_the_certificate_is_for_both_though_the_domain_is_a_website(website: Website) -> None:
    status = website.appliance.healthy()
    assert set(status["certificate"]["names"]) == {DOMAIN, HOST, f"groups.{DOMAIN}", f"share.{DOMAIN}"}
    assert web.ask(f"https://{DOMAIN}:{website.front.https}/", website.certificate).text == "a website"


def test_addresses_are_at_the_domain_and_pages_at_the_host(website: Website) -> None:
    appliance = website.appliance
    assert appliance.line("ready ", 1) == f"https://{HOST}:{website.front.https}/"
    link = appliance.invite()
    assert link["url"].startswith(f"https://{HOST}:{website.front.https}/invite/")
    page = web.ask(link["url"], appliance.trust)
    assert page.status == 200
    account = appliance.account("zoe", "correct horse battery")

    async def talk() -> None:
        await register(account, link["token"])
        # TLS is verified for the domain.
        async with logged_in(account) as person:
            assert person.boundjid.bare == f"zoe@{DOMAIN}"
            service = await person.plugin["xep_0363"].find_upload_service(domain=DOMAIN, timeout=20)
            assert service is not None
            assert {service["host"] for service in await person.turn_services()} == {HOST}

    asyncio.run(talk())


def test_apps_that_know_only_the_domain_find_the_host_through_the_website(website: Website) -> None:
    answer = web.ask(f"https://{DOMAIN}:{website.front.https}/.well-known/host-meta", website.certificate)
    assert answer.status == 301 and answer.headers["access-control-allow-origin"] == "*"
    found = web.ask(answer.headers["location"], website.appliance.trust)
    links = {link.get("href") for link in ET.fromstring(found.text)}
    assert f"wss://{HOST}:{website.front.https}/xmpp-websocket" in links
    assert found.headers["access-control-allow-origin"] == "*"


def test_what_is_asked_for_comes_back_as_it_was_written_and_ends_no_line(website: Website) -> None:
    with socket.create_connection(("127.0.0.1", website.front.http), timeout=10) as connection:
        connection.sendall(
            f"GET /.well-known/acme-challenge/%0d%0aSet-Cookie:%20x=1?a=%0d%0ab HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    head = answer.split("\r\n\r\n")[0].lower()
    assert "302" in head.splitlines()[0] and "/.well-known/acme-challenge/%0d%0aset-cookie:%20x=1" in head, answer
    assert not any(line.startswith(("set-cookie", "b ")) for line in head.splitlines()), answer


def test_a_website_that_passes_requests_on_is_answered_too(website: Website) -> None:
    port = website.appliance.ports.http
    answer = web.ask(f"http://{DOMAIN}:{port}/.well-known/host-meta")
    assert answer.status == 200 and f"wss://{HOST}" in answer.text
    assert web.ask(f"http://{DOMAIN}:{port}/.well-known/acme-challenge/snikket-check").text == HOST
    answer = web.ask(f"http://{DOMAIN}:{port}/somewhere")
    assert (answer.status, answer.headers["location"]) == (301, f"https://{HOST}:{website.front.https}/")
