"""What `snikket status --json` says, asked for so fast that a restart can be timed: over the control socket, without a program in between."""

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from . import turn
from .appliance import Appliance
from .people import Account
from .stream import sign_in
from .waiting import Late, until

NAMES = ("prosody", "nginx", "coturn", "portal")


class _Control(http.client.HTTPConnection):
    def __init__(self, appliance: Appliance):
        super().__init__("snikket", timeout=10)
        self.path = str(appliance.state / "run/control/socket")

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def status(appliance: Appliance) -> dict[str, Any]:
    connection = _Control(appliance)
    try:
        connection.request("GET", "/status")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def checks(appliance: Appliance) -> dict[tuple[str, str], float]:
    """How often each probe has asked, by its server's name and its own."""
    connection = _Control(appliance)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    return {
        (sample.labels["service"], sample.labels["probe"]): sample.value
        for family in text_string_to_metric_families(text) for sample in family.samples if sample.name == "snikket_probe_checks_total"}


def services(appliance: Appliance) -> dict[str, dict[str, Any]]:
    return {service["name"]: service for service in status(appliance)["services"]}


@dataclass(frozen=True)
class Replacement:
    """How a server was replaced by another process of it."""

    before: dict[str, Any]
    after: dict[str, Any]
    problem: str
    noticed: float  # seconds from the fault
    ready: float


def replacement(appliance: Appliance, before: dict[str, dict[str, Any]], name: str, seconds: float) -> Replacement:
    """Waits until a server that was hurt just now is another process and ready; the others have to be the ones of `before`."""
    start = time.monotonic()
    noticed = 0.0
    latest: dict[str, Any] = {}

    def replaced() -> bool:
        nonlocal noticed, latest
        latest = services(appliance)[name]
        if not noticed and (latest["state"] != "ready" or latest["pid"] != before[name]["pid"]):
            noticed = time.monotonic() - start
        return latest["state"] == "ready" and latest["pid"] not in (None, before[name]["pid"])

    try:
        until(replaced, seconds, f"{name} is replaced")
    except Late as late:
        raise Late(f"{late}: {json.dumps(latest)}") from None
    ready = time.monotonic() - start
    assert latest["restarts"] > before[name]["restarts"], latest
    assert latest["last_problem"], f"{name} was replaced, and nobody says why"
    assert_untouched(appliance, before, {name})
    return Replacement(before[name], latest, latest["last_problem"], noticed, ready)


def assert_untouched(appliance: Appliance, before: dict[str, dict[str, Any]], but: set[str] = frozenset()) -> None:
    """Every other server is the same process, in the same state, as before."""
    after = services(appliance)
    for name in before.keys() - but:
        for member in ("pid", "restarts", "state", "since"):
            assert after[name][member] == before[name][member], (name, before[name], after[name])


def assert_serves(appliance: Appliance, account: Account, but: set[str] = frozenset()) -> None:
    """It is used: somebody logs in, opens an invitation's page, and asks for their address and a relay."""
    if "prosody" not in but:
        sign_in(account.domain, account.port, account.trust, account.username, account.password)
    if not {"nginx", "portal", "prosody"} & but:
        page = appliance.get(f"/invite/{appliance.invite()['token']}/")
        assert page.status == 200 and account.domain in page.text, page
    elif not {"nginx", "portal"} & but:
        assert appliance.get("/").status < 500
    if "coturn" not in but:
        assert turn.binding(appliance.ports.turn)[0] == "127.0.0.1"
        username, password = turn.temporary_credentials((appliance.state / "secrets/turn").read_text().strip())
        assert turn.allocate(appliance.ports.turn, username, password)[1] >= 1024
