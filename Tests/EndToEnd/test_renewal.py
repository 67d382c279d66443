"""The certificate through its life: shown, renewed under load, revoked, taken from another authority, missed by nobody."""

import asyncio
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from world.appliance import Appliance, scratch, with_pebble
from world.authority import Authority
from world.newer_pebble import newer_pebble
from world.people import Account, logged_in, register
from world.ports import free_block
from world.service_watch import assert_untouched, services
from world.stream import Stream
from world.waiting import until


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Appliance, Authority]]:
    """An appliance of these tests' own: what they do to it is not for others."""
    with with_pebble("renewal", settings={"SNIKKET_MAX_USER_CLIENTS": "300"}) as (appliance, authority):
        yield appliance.started(), authority


def _admin(appliance: Appliance, name: str) -> Account:
    account = appliance.account(name, "correct horse battery")
    asyncio.run(register(account, appliance.invite("--admin")["token"]))
    return account


def _serials(appliance: Appliance) -> dict[str, str]:
    return appliance.status()["certificate"]["served"]


def _certificate(appliance: Appliance, *arguments: str, seconds: float = 90) -> dict:
    answer = appliance.snikket("certificate", *arguments, "--json", seconds=seconds)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)


def test_it_is_shown_as_a_table_and_as_json(world: tuple[Appliance, Authority]) -> None:
    appliance, authority = world
    until(lambda: len(_serials(appliance)) >= 5, 30, "every port was looked at")
    shown = _certificate(appliance, "show")
    assert shown == appliance.status()["certificate"]
    assert shown["origin"] == authority.directory
    table = appliance.snikket("certificate", "show").stdout
    for word in (appliance.domain, shown["serial"], shown["issuer"], authority.directory, "next attempt", "days left", "https", "this one"):
        assert word in table, table
    assert "another one" not in table


def test_issuing_where_there_is_one_changes_nothing(world: tuple[Appliance, Authority]) -> None:
    appliance, _ = world
    before = _certificate(appliance, "show")["serial"]
    assert _certificate(appliance, "issue")["serial"] == before


def test_renewal_under_load_drops_nobody(world: tuple[Appliance, Authority]) -> None:
    """200 connected clients and an upload that is under way stay connected; then every port serves the new certificate."""
    appliance, _ = world
    account = _admin(appliance, "renate")
    before = _certificate(appliance, "show")["serial"]

    async def renew_under_load() -> None:
        async with AsyncExitStack() as stack:
            uploader = await stack.enter_async_context(logged_in(account))
            with ThreadPoolExecutor(8) as people:
                streams = list(people.map(lambda _: _connected(appliance, account), range(199)))
            slot = await _slot(uploader, account, size := 3_000_000)
            put_reader, put_writer = await _begin_upload(appliance, slot, size)
            put_writer.write(bytes(size // 3))
            await put_writer.drain()

            renewed = await asyncio.to_thread(_certificate, appliance, "renew")
            assert renewed["serial"] != before
            assert set(renewed["served"].values()) == {renewed["serial"]}, renewed["served"]

            # Over a slow line: it takes seconds longer than the renewal.
            for part in range(40):
                put_writer.write(bytes(size - size // 3 - 39 * (size // 60) if part == 39 else size // 60))
                await put_writer.drain()
                await asyncio.sleep(0.1)
            status = await asyncio.wait_for(put_reader.readline(), 30)
            assert status.split()[1] == b"201", status
            put_writer.close()
            for stream in streams:
                answer = stream.iq("get", "<ping xmlns='urn:xmpp:ping'/>", appliance.domain)
                assert answer.get("type") == "result", "somebody was dropped"
                stream.socket.close()
            await uploader.plugin["xep_0199"].ping(jid=appliance.domain, timeout=20)

    asyncio.run(renew_under_load())
    assert {service["restarts"] for service in appliance.status()["services"]} == {0}
    _expect_served(appliance, _certificate(appliance, "show")["serial"])


def _connected(appliance: Appliance, account: Account) -> Stream:
    """One more device of somebody: logged in, and bound."""
    stream = Stream(appliance.domain, appliance.ports.client, appliance.trust, seconds=30)
    stream.open()
    stream.start_tls()
    stream.login(account.username, account.password)
    stream.open()
    assert stream.iq("set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>").get("type") == "result"
    return stream


async def _slot(person, account: Account, size: int):
    service = await person.plugin["xep_0363"].find_upload_service(domain=account.domain, timeout=20)
    answer = await person.plugin["xep_0363"].request_slot(service["from"], "film.bin", size, "application/octet-stream", timeout=20)
    return answer["http_upload_slot"]["put"]


async def _begin_upload(appliance: Appliance, put, size: int):
    host, path = put["url"].removeprefix("https://").split("/", 1)
    name, port = host.split(":")
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(port), ssl=ssl.create_default_context(cafile=appliance.trust), server_hostname=name)
    lines = [f"PUT /{path} HTTP/1.1", f"Host: {host}", f"Content-Length: {size}", "Content-Type: application/octet-stream"]
    lines += [f"{header['name']}: {header['value']}" for header in put["headers"]]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await writer.drain()
    return reader, writer


def _expect_served(appliance: Appliance, serial: str) -> None:
    """Seen from outside, not by the appliance's own word."""
    with Stream(appliance.domain, appliance.ports.client_tls, appliance.trust, direct_tls=True) as stream:
        assert int(stream.socket.getpeercert()["serialNumber"], 16) == int(serial, 16)
    context = ssl.create_default_context(cafile=appliance.trust)
    for port in (appliance.ports.https, appliance.ports.turn_tls):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=appliance.domain) as tls:
                assert int(tls.getpeercert()["serialNumber"], 16) == int(serial, 16), port


def test_a_server_that_could_not_be_given_the_new_one_gets_it_when_it_can(world: tuple[Appliance, Authority]) -> None:
    """A full disk or a wrong permission in the moment of a renewal: the next one is two months away."""
    appliance, _ = world
    before, processes = _certificate(appliance, "show")["serial"], services(appliance)
    folder = appliance.state / "run/nginx/tls"
    folder.chmod(0o555)
    try:
        refused = appliance.snikket("certificate", "renew", seconds=90)
        assert refused.returncode != 0
        assert "could not be put in place" in refused.stderr and str(folder) in refused.stderr, refused.stderr
        appliance.line("snikket: it is tried again within a minute", 10)
        serial = until(lambda: _other(appliance.status()["certificate"]["serial"], before), 30, "there is another certificate")
        # The others have it, and nobody is started again: that would not help.
        until(lambda: serial in _serials(appliance).values(), 90, "the chat server serves it")
        problem = next(problem for problem in appliance.status()["problems"] if problem["matter"] == "certificate-copies")
        assert str(folder) in problem["cause"], problem
        assert not appliance.status()["healthy"]
    finally:
        folder.chmod(0o711)
    until(lambda: appliance.status()["healthy"], 90, "it is served everywhere")
    _expect_served(appliance, serial)
    assert_untouched(appliance, processes)
    until(lambda: not [problem for problem in appliance.status()["problems"] if "certificate" in problem["matter"]], 90, "and that is all")


def _other(serial: str, than: str) -> str | None:
    return serial if serial != than else None


def test_a_server_that_keeps_the_old_one_is_reported_and_started_again(world: tuple[Appliance, Authority]) -> None:
    appliance, _ = world
    configuration = appliance.state / "run/nginx/nginx.conf"
    good = configuration.read_text()
    before = _certificate(appliance, "show")["serial"]
    # nginx refuses to load this, and goes on with what it has.
    configuration.write_text(good + "\nnonsense;\n")
    renewing = appliance._popen(["certificate", "renew", "--json", "--config", str(appliance.config), "--state", str(appliance.state)])
    appliance.line("snikket: error: nginx still serves another certificate", 120)
    configuration.write_text(good)
    out, _ = renewing.communicate(timeout=120)
    assert renewing.returncode == 0, out
    status = appliance.healthy(60)
    assert status["certificate"]["serial"] != before
    _expect_served(appliance, status["certificate"]["serial"])
    assert appliance.service("nginx")["restarts"] >= 1


def test_revoking_replaces_it_first(world: tuple[Appliance, Authority]) -> None:
    appliance, authority = world
    before = _certificate(appliance, "show")["serial"]
    unasked = appliance.snikket("certificate", "revoke")
    assert unasked.returncode == 64 and "--yes" in unasked.stderr
    after = _certificate(appliance, "revoke", "--yes", "--reason", "superseded")
    assert after["serial"] != before
    assert set(after["served"].values()) == {after["serial"]}
    revoked = json.loads(authority._management(f"/cert-status-by-serial/{before}"))
    assert (revoked["Status"], revoked["Reason"]) == ("Revoked", 4)
    assert json.loads(authority._management(f"/cert-status-by-serial/{after['serial']}"))["Status"] == "Valid"


def test_what_was_to_be_revoked_is_revoked_by_the_second_attempt_and_not_its_successor(world: tuple[Appliance, Authority]) -> None:
    appliance, authority = world

    def state_of(serial: str) -> str:
        return json.loads(authority._management(f"/cert-status-by-serial/{serial}"))["Status"]

    before = _certificate(appliance, "show")["serial"]
    folder = appliance.state / "run/nginx/tls"
    folder.chmod(0o555)
    try:
        half = appliance.snikket("certificate", "revoke", "--yes", seconds=90)
        assert half.returncode != 0 and "could not be put in place" in half.stderr, half.stderr
        # One that may still be served is not revoked.
        assert state_of(before) == "Valid"
    finally:
        folder.chmod(0o711)
    successor = appliance.status()["certificate"]["serial"]
    assert successor != before
    # Nor does it forget which one it was.
    appliance.process.kill()
    appliance.ended()
    appliance.started()
    after = _certificate(appliance, "revoke", "--yes")
    assert after["serial"] == successor and set(after["served"].values()) == {successor}
    assert (state_of(before), state_of(successor)) == ("Revoked", "Valid")


def test_administrators_hear_of_failing_renewals_once_and_of_their_end(world: tuple[Appliance, Authority]) -> None:
    appliance, authority = world
    account = _admin(appliance, "ada")
    assert appliance.stop() == 0
    attempts = appliance.state / "certificates/attempts.json"
    kept = json.loads(attempts.read_text())
    now = int(time.time())
    attempts.write_text(json.dumps(kept | {
        "failures": 9, "firstFailure": now - 4 * 86400, "nextAttempt": now + 3600,
        "lastError": {"kind": "caDown", "error": "the certificate authority is down", "try": "wait"}}))

    async def listen() -> None:
        async with logged_in(account) as person:
            heard = await person.next_message()
            assert heard["from"].bare == appliance.domain
            assert "could not be renewed" in heard["body"] and "the certificate authority is down" in heard["body"]
            # Too many failures for impatience: the pauses count.
            refused = await asyncio.to_thread(appliance.snikket, "certificate", "renew")
            assert refused.returncode == 75 and "too early" in refused.stderr
            await asyncio.to_thread(appliance.stop)
            later = json.loads(attempts.read_text())
            assert later["failures"] == 9
            # The pause is over, and the authority has said that the time has come.
            window = {"serial": later["renewal"]["serial"], "spread": 0.5, "window": {"start": now - 9, "end": now}, "nextLook": now + 3600}
            attempts.write_text(json.dumps(later | {"nextAttempt": now - 1, "renewal": window}))
        await asyncio.to_thread(appliance.started)
        async with logged_in(account) as person:
            # Renewed, reloaded, looked at: then it is told.
            heard = await asyncio.wait_for(person.inbox.get(), 90)
            assert "is well again" in heard["body"], heard["body"]

    appliance.started()
    asyncio.run(listen())
    messages = appliance.state / "messages.json"
    until(lambda: json.loads(messages.read_text())["outbox"] == [], 20, "what was told is not told again")
    assert "levels" in json.loads(messages.read_text())


def test_it_can_be_shown_and_had_while_nothing_runs() -> None:
    with with_pebble("alone") as (appliance, authority):
        appliance.config.write_text(appliance.config.read_text() + "".join(
            f"{name}={value}\n" for name, value in {
                **appliance.settings, "SNIKKET_TWEAK_HTTP_PORT": str(appliance.ports.http), "SNIKKET_TWEAK_IPV6": "off"}.items()))
        none = appliance.snikket("certificate", "show")
        assert none.returncode == 1 and "none that can be used" in none.stdout and "at once" in none.stdout
        refused = appliance.snikket("certificate", "revoke", "--yes")
        assert refused.returncode == 1 and "snikket is not running here" in refused.stderr
        issued = _certificate(appliance, "issue")
        assert issued["origin"] == authority.directory and issued["served"] == {}
        assert _certificate(appliance, "issue")["serial"] == issued["serial"]
        renewed = _certificate(appliance, "renew")
        assert renewed["serial"] != issued["serial"]
        # What was had alone is what the servers use.
        appliance.settings.clear()
        assert appliance.started().healthy()["certificate"]["serial"] == renewed["serial"]
        assert appliance.snikket("certificate", "show").returncode == 0


def test_a_second_authority_is_asked_when_the_first_stays_down() -> None:
    with with_pebble("second") as (appliance, authority):
        dead = f"https://127.0.0.1:{free_block(1)}/dir"
        appliance.settings["SNIKKET_ACME_DIRECTORY"] = f"{dead}, {authority.directory}"
        # The first failure waits for a moment's trouble to pass; the second is taken for more.
        appliance.start()
        appliance.line("snikket: error: ", 60)
        assert _certificate(appliance, "renew")["origin"] == authority.directory
        appliance.line("ready ", 60)
        kept = json.loads((appliance.state / "certificates/attempts.json").read_text())
        assert kept["authorities"][dead]["failures"] == 2 and authority.directory not in kept["authorities"]


def test_the_authority_s_window_is_followed_and_an_early_one_too() -> None:
    with with_pebble("window", pebble=newer_pebble()) as (appliance, authority):
        appliance.started()
        renewed = _certificate(appliance, "renew")
        shown = until(lambda: (seen := _certificate(appliance, "show"))["renewal_window"] and seen, 30, "the window is known")
        window = shown["renewal_window"]
        assert window["start"] <= shown["next_attempt"] <= window["end"]
        # Revoked behind its back: the authority wants it to be replaced at once.
        pair = appliance.state / "certificates/current"
        revoked = appliance._popen([
            "revoke", "--directory", authority.directory, "--ca-bundle", str(authority.bundle), "--fullchain", str(pair / "fullchain.pem"),
            "--key", str(pair / "privkey.pem")], program="snikket-certs", errors_apart=True)
        assert revoked.wait(30) == 0, revoked.stderr
        assert appliance.stop() == 0
        # As if the time had come to ask again.
        attempts = appliance.state / "certificates/attempts.json"
        kept = json.loads(attempts.read_text())
        assert kept["renewal"]["serial"] == renewed["serial"] and kept["renewal"]["nextLook"] > time.time()
        attempts.write_text(json.dumps(kept | {"renewal": kept["renewal"] | {"nextLook": 0}}))
        appliance.started()
        until(lambda: appliance.status()["certificate"]["serial"] != renewed["serial"], 60, "it has been replaced")

        def is_served_everywhere() -> bool:
            certificate = appliance.healthy()["certificate"]
            return set(certificate["served"].values()) == {certificate["serial"]}

        until(is_served_everywhere, 60, "every port shows it")


def test_an_account_that_was_arranged_beforehand_comes_from_a_file() -> None:
    with scratch("arranged") as folder:
        appliance = Appliance(folder)
        key_id, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
        with Authority(folder / "authority", appliance.ports.http, external_accounts={key_id: key}) as authority:
            accounts = folder / "accounts"
            accounts.write_text(f"# directory key-id key\n{authority.directory} {key_id} {key}\n")
            accounts.chmod(0o600)
            os.chown(accounts, appliance.uid, -1)
            appliance.settings |= {
                "SNIKKET_ACME_DIRECTORY": authority.directory, "SNIKKET_ACME_CA_BUNDLE": str(authority.bundle),
                "SNIKKET_ACME_EAB_FILE": str(accounts)}
            appliance._trust = authority.root
            try:
                accounts.chmod(0o644)
                appliance.start()
                assert "others can read it" in appliance.line("snikket: cause: ", 30)
                accounts.chmod(0o600)
                assert _certificate(appliance, "renew")["origin"] == authority.directory
                appliance.line("ready ", 60)
                assert key not in appliance.everything_said()
            finally:
                appliance.end()
