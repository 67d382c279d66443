"""As root, `snikket up` keeps the few capabilities that it needs, and everything works with them."""

import os
import pwd
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from world import processes
from world.appliance import CHECKOUT, DOMAIN, Appliance, scratch, without_pebble
from world.own_files import configuration, make_files
from world.ports import free
from world.programs import put_program
from world.waiting import until

NUMBERS = {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SETPCAP": 8, "CAP_NET_BIND_SERVICE": 10}

PORTS = (
    "SNIKKET_TWEAK_HTTP_PORT", "SNIKKET_TWEAK_HTTPS_PORT", "SNIKKET_TWEAK_XMPP_CLIENT_PORT", "SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT",
    "SNIKKET_TWEAK_XMPP_SERVER_PORT", "SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT", "SNIKKET_PROXY65_PORT", "SNIKKET_TWEAK_TURNSERVER_PORT",
    "SNIKKET_TWEAK_TURNSERVER_TLS_PORT", "SNIKKET_TWEAK_INTERNAL_HTTP_PORT")


@pytest.fixture(scope="module")
def rooted(users: dict[str, int]) -> Iterator[Appliance]:
    with without_pebble("kept", as_root=True, settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _threads(pid: int) -> list[dict[str, str]]:
    """What the kernel says of each; one that has just ended is left out."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found.append(_status(int(thread)))
    return found


def test_it_keeps_what_the_unit_grants_and_cannot_get_more(rooted: Appliance) -> None:
    unit = (CHECKOUT / "templates/systemd/snikket.service").read_text()
    granted = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)
    assert granted is not None and set(granted[1].split()) == set(NUMBERS)
    expected = sum(1 << number for number in NUMBERS.values())
    assert rooted.process is not None
    for status in _threads(rooted.process.pid):
        for kind in ("CapBnd", "CapPrm", "CapEff"):
            assert int(status[kind], 16) == expected, (kind, status[kind])
        assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        # The first thread sleeps for good (dispatch_main()), and is told of nothing any more.
        if status["Pid"] != status["Tgid"]:
            assert set(status["Groups"].split()) - set(map(str, os.getgroups())) == {str(pwd.getpwnam("snikket-nginx").pw_gid)}


def test_no_thread_stays_in_somebody_elses_rights(rooted: Appliance) -> None:
    """Root takes on an owner's rights for a moment at a time; then it is root again."""
    rooted.healthy()
    assert rooted.process is not None
    pid = rooted.process.pid
    until(
        lambda: all(status["Uid"].split() == ["0"] * 4 and status["Gid"].split()[3] == "0" for status in _threads(pid)), 10, "each thread is root")


def test_the_memory_of_every_server_is_seen(rooted: Appliance) -> None:
    for service in rooted.healthy()["services"]:
        group = [process for process in processes.everybody() if _group(process.pid) == service["pid"]]
        kilobytes = sum(process.kilobytes_pss() for process in group)
        assert group and 0.5 < service["memory_bytes"] / 1024 / kilobytes < 2, (service, kilobytes)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def test_a_server_that_is_killed_is_started_again_over_what_it_left(rooted: Appliance) -> None:
    """nginx's sockets stay behind in a folder that only nginx may change."""
    for name in ("nginx", "portal", "prosody", "coturn"):
        before = rooted.service(name)["pid"]
        os.kill(before, 9)
        until(lambda: rooted.service(name)["pid"] not in (before, None), 30, f"another {name} is started")
        rooted.healthy(60)


def test_a_server_may_listen_below_1024_only_when_its_port_is_there(users: dict[str, int]) -> None:
    low = next(port for port in range(700, 1024) if free(port))
    with without_pebble("low", as_root=True, settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        first, appliance.sets_ports = appliance.ports.first, False
        appliance.settings |= {name: str(first + place) for place, name in enumerate(PORTS)} | {"SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT": str(low)}
        appliance.started()
        may = {service["name"] for service in appliance.healthy()["services"] if int(_status(service["pid"])["CapEff"], 16)}
        assert may == {"prosody"}
        assert int(_status(appliance.service("prosody")["pid"])["CapBnd"], 16) == 1 << NUMBERS["CAP_NET_BIND_SERVICE"]


def test_roots_own_certificate_is_read_and_somebody_elses_is_refused_with_what_to_do(users: dict[str, int]) -> None:
    with scratch("own-files") as files:
        root, chain, key = make_files(files, [DOMAIN, f"groups.{DOMAIN}", f"share.{DOMAIN}"])
        key.chmod(0o600)
        with without_pebble("own-root", as_root=True, configuration=configuration(chain, key), trust=root) as appliance:
            appliance.started()
            assert appliance.stop() == 0
        os.chown(key, 12_345, 12_345)
        with without_pebble("own-other", as_root=True, configuration=configuration(chain, key), trust=root) as appliance:
            appliance.start()
            assert "private key" in appliance.line("snikket: error:", 30)
            assert str(key) in appliance.line("snikket: cause:", 5)
            assert "chown root" in appliance.line("snikket: try:", 5)


def test_it_works_where_others_processes_are_invisible(users: dict[str, int]) -> None:
    """As under the unit's ProtectProc=invisible and ProcSubset=pid, which do not take effect in every container."""
    with without_pebble("hidden", as_root=True, settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.program = put_program(
            appliance.folder / "snikket",
            "#!/bin/sh\nexec unshare -m sh -c 'mount -t proc -o hidepid=invisible,subset=pid proc /proc && exec \"$0\" \"$@\"'"
            f" {appliance.program} \"$@\"\n")
        appliance.started()
        assert appliance.process is not None
        assert "hidepid=invisible" in Path(f"/proc/{appliance.process.pid}/mountinfo").read_text()
        for service in appliance.healthy()["services"]:
            assert (service["memory_bytes"] or 0) > 1_000_000, service
        before = appliance.service("nginx")["pid"]
        os.kill(before, 9)
        until(lambda: appliance.service("nginx")["pid"] not in (before, None), 30, "another nginx is started")
        appliance.healthy(60)
        # What the machine's network is comes from /proc too.
        with socket.create_connection(("::1", appliance.ports.https), timeout=10):
            pass
        assert appliance.stop() == 0
        with socket.create_server(("0.0.0.0", appliance.ports.client)):
            appliance.start().line(f"snikket: error: port {appliance.ports.client}", 20)
            assert appliance.ended() != 0
