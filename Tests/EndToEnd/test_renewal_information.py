"""Renewal information (RFC 9773), with Debian 13's Pebble, which has it."""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.appliance import PROGRAMS
from world.faults import problem
from world.issuing import Bench, Run, bench
from world.misbehaviour import MisbehavingAuthority
from world.newer_pebble import newer_pebble


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench(newer_pebble(), PEBBLE_WFE_NONCEREJECT="0") as made:
        yield made


def identifier(chain: Path) -> str:
    """How RFC 9773 §4.1 calls a certificate: worked out by other means than ours."""
    text = subprocess.run(["openssl", "x509", "-in", str(chain), "-noout", "-serial", "-ext", "authorityKeyIdentifier"],
                          capture_output=True, text=True, check=True).stdout
    key = bytes.fromhex("".join(re.findall(r"(?:[0-9A-F]{2}:){10,}[0-9A-F]{2}", text)[0].split(":")))
    serial = bytes.fromhex(re.findall(r"serial=([0-9A-F]+)", text)[0])
    if serial[0] & 0x80:
        serial = b"\0" + serial
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (key, serial))


def orders(proxy: MisbehavingAuthority) -> list[str | None]:
    """What each order says that it replaces."""
    return [json.loads(asked.payload or b"{}").get("replaces") for asked in proxy.of("newOrder")]


def window(place: Bench, chain: Path) -> dict:
    answer = subprocess.run(
        [str(PROGRAMS / "snikket-certs"), "renewal", "--directory", place.authority.directory, "--ca-bundle", str(place.authority.bundle),
         "--fullchain", str(chain)], capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


class Renewals:
    """Issuances for the same names, into one folder or its backup, for one account."""

    def __init__(self, place: Bench, proxy: MisbehavingAuthority):
        self.place, self.proxy = place, proxy
        self.first = place.issue({}, fresh=True, proxy=proxy)
        assert self.first.code == 0, self.first.said
        self.output = self.first.folder / "output"

    def again(self, output: Path) -> tuple[Run, list[str | None]]:
        """Renews, and tells what each order said that it replaces."""
        known = len(self.proxy.of("newOrder"))
        name = self.first.folder.name
        run = self.place.issue({}, names=self.place.names(name), output=output, state=self.first.folder / "state", proxy=self.proxy, webroot=False,
                               more=["--webroot", str(self.place.folder / "www" / name)])
        return run, orders(self.proxy)[known:]


@pytest.fixture
def renewals(place: Bench) -> Iterator[Renewals]:
    with MisbehavingAuthority(place.authority) as proxy:
        yield Renewals(place, proxy)


def test_a_renewal_says_what_it_replaces_and_the_authority_takes_it(renewals: Renewals) -> None:
    assert orders(renewals.proxy) == [None]
    old = identifier(renewals.output / "fullchain.pem")
    run, replaced = renewals.again(renewals.output)
    assert run.code == 0, run.said
    assert replaced == [old], renewals.place.authority.log[-3000:]
    assert identifier(renewals.output / "fullchain.pem") != old


def test_a_certificate_that_has_been_replaced_already_is_renewed_all_the_same(renewals: Renewals) -> None:
    """The authority took the order, and the machine was set back to a backup from before it: Pebble itself refuses."""
    backup = renewals.first.folder / "backup"
    shutil.copytree(renewals.output, backup, symlinks=True)
    old = identifier(backup / "fullchain.pem")
    assert renewals.again(renewals.output)[1] == [old]
    run, replaced = renewals.again(backup)
    assert run.code == 0, run.said
    assert replaced == [old, None], renewals.place.authority.log[-3000:]
    assert identifier(backup / "fullchain.pem") != old


def test_a_refusal_as_replaced_already_is_no_end(renewals: Renewals) -> None:
    old = identifier(renewals.output / "fullchain.pem")
    refuse = problem(409, "alreadyReplaced", "it has been replaced")
    renewals.proxy.faults["newOrder"] = lambda exchange: (
        refuse(exchange) if b"replaces" in (exchange.payload or b"") else exchange.reply(exchange.forward()))
    run, replaced = renewals.again(renewals.output)
    assert run.code == 0, run.said
    assert replaced == [old, None]


def test_the_window_is_the_authority_s_and_is_pulled_in_when_the_certificate_is_revoked(place: Bench) -> None:
    run = place.issue({}, fresh=True)
    chain = run.folder / "output/fullchain.pem"
    before = window(place, chain)
    assert time.time() < before["start"] < before["end"] and before["retryAfter"] > 0
    subprocess.run(
        [str(PROGRAMS / "snikket-certs"), "revoke", "--directory", place.authority.directory, "--ca-bundle", str(place.authority.bundle),
         "--fullchain", str(chain), "--key", str(run.folder / "output/privkey.pem"), "--reason", "key-compromise"], check=True, timeout=30, stdout=subprocess.DEVNULL)
    after = window(place, chain)
    assert after["start"] < after["end"] <= time.time() + 60, "it is time to renew now"
