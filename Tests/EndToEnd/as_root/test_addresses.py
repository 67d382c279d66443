"""IPv6 only, and calls from behind a router: in a network of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from world import stream, turn
from world.appliance import CHECKOUT, Appliance, without_pebble
from world.internet import GOOD_ZONE, Internet
from world.programs import put_program
from world.waiting import until


@contextmanager
def _inside(appliance: Appliance, internet: Internet) -> Iterator[None]:
    """What is started by the body runs in the server's network."""
    door = appliance.folder / "snikket"
    who = f"--reuid={appliance.uid} --regid={appliance.uid} --clear-groups"
    put_program(door, f'#!/bin/sh\nexec {" ".join(Internet.inside(internet.server))} setpriv {who} "{appliance.program}" "$@"\n')
    uid, program = appliance.uid, appliance.program
    appliance.uid, appliance.program = 0, door
    try:
        yield
    finally:
        appliance.uid, appliance.program = uid, program


def _relay_address(internet: Internet, appliance: Appliance) -> str:
    """The relay address that somebody on the internet is given."""
    username, password = turn.temporary_credentials((appliance.state / "secrets/turn").read_text().strip())
    code = "import sys; from world import turn; print(turn.allocate(int(sys.argv[1]), *sys.argv[2:4], host='10.0.0.5')[0])"
    answer = subprocess.run(
        [*Internet.inside(internet.world), sys.executable, "-c", code, str(appliance.ports.turn), username, password],
        cwd=CHECKOUT / "Tests/EndToEnd", capture_output=True, text=True)
    return answer.stdout.strip() or answer.stderr


def _zone(address: str) -> str:
    return "\n".join(line for line in GOOD_ZONE.splitlines() if "AAAA" not in line).replace("203.0.113.5", address)


def test_behind_a_router_calls_are_relayed_at_the_address_that_dns_gives() -> None:
    with without_pebble("nat", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, \
            Internet(appliance.folder, address="10.0.0.5/24") as internet:
        internet.publish(_zone("198.51.100.20"))
        with _inside(appliance, internet):
            appliance.start()
        appliance.line("ready ", 60)
        until(lambda: _relay_address(internet, appliance) == "198.51.100.20", 30, "the relay is at the router's address")
        assert appliance.stop() == 0
        # What is said holds, and DNS is not asked.
        appliance.settings["SNIKKET_TURN_EXTERNAL_IP"] = "198.51.100.30"
        with _inside(appliance, internet):
            appliance.start()
        appliance.line("ready ", 60)
        assert _relay_address(internet, appliance) == "198.51.100.30"


def test_with_ipv4_off_every_port_is_on_ipv6_only() -> None:
    with without_pebble("six", settings={"SNIKKET_CERTIFICATE": "internal", "SNIKKET_IPV4": "off"}) as appliance:
        appliance.started().healthy()
        ports = range(appliance.ports.first, appliance.ports.internal)
        table = subprocess.run(["ss", "-Htuln"], capture_output=True, text=True, check=True).stdout
        places = {line.split()[4] for line in table.splitlines()}
        ours = {place for place in places if int(place.rpartition(":")[2]) in ports}
        # coturn listens on both wherever it listens on IPv6.
        relay = {appliance.ports.turn, appliance.ports.turn_tls}
        assert {place.rpartition(":")[0] for place in ours if int(place.rpartition(":")[2]) not in relay} == {"[::]"}, ours
        assert {int(place.rpartition(":")[2]) for place in ours} == set(ports)
        with stream.Stream(appliance.domain, appliance.ports.client, appliance.trust, host="::1") as somebody:
            somebody.open()
            somebody.start_tls()
