"""The chat, web and relay servers, replaced by programs that say half of what they should: noticed at the start, named, and replaced.

Where the servers' programs are looked for is not for an ordinary user to change: as root, the appliance is started in a mount namespace of its own.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest

from world.appliance import scratch
from world.parallel import beside_each_other
from world.service_watch import assert_serves, assert_untouched, services
from world.stage import Stage, peopled
from world.stand_in import StagedAppliance, StandIn
from world.waiting import until


@dataclass(frozen=True)
class Manner:
    server: str
    word: str

    @property
    def name(self) -> str:
        return f"{self.server} {self.word}"


CASES = [
    Manner("prosody", "half_a_stream"), Manner("prosody", "garbage"), Manner("nginx", "half_an_answer"), Manner("nginx", "half_a_hello"),
    Manner("nginx", "garbage"), Manner("coturn", "half_a_binding"), Manner("coturn", "garbage"), Manner("prosody", "slow"),
]


def _staged(appliance: StagedAppliance, server: str) -> StandIn:
    ports = appliance.ports
    run = appliance.state / "run/nginx/work"
    match server:
        case "prosody": return appliance.stand_in("prosody", [ports.client, ports.client_tls, ports.server, ports.internal])
        case "nginx": return appliance.stand_in("nginx", [str(run / "health.sock"), ports.https, ports.http])
        case _: return appliance.stand_in("coturn", [ports.turn], datagrams=ports.turn)


def _run(case: Manner) -> None:
    with scratch("staged") as folder:
        appliance = StagedAppliance(folder, settings={"SNIKKET_CERTIFICATE": "internal"})
        try:
            stand_in = _staged(appliance, case.server)
            _play(peopled(appliance.started(90)), stand_in, case)
        finally:
            appliance.end()


def _play(scene: Stage, stand_in: StandIn, case: Manner) -> None:
    scene.assert_well()
    appliance = scene.appliance
    before = services(appliance)
    starts = len(stand_in.notes("started"))
    stand_in.behave(case.word)
    os.kill(before[case.server]["pid"], signal.SIGKILL)
    start = time.monotonic()
    until(lambda: len(stand_in.notes("started")) == starts + 1, 20, "the next one has been started")
    assert_serves(appliance, scene.wendy, but={case.server})
    if case.word != "slow":
        until(lambda: "not serving" in services(appliance)[case.server]["last_problem"], 90, "it is given up on, and why")
        stand_in.behave("")
    scene.assert_well(90)
    assert time.monotonic() - start < 180
    assert_untouched(appliance, before, {case.server})


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, "Future[Any]"]]:
    with beside_each_other(request, "case", _run, width=4) as futures:
        yield futures


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_it_says_is_not_taken_for_serving(outcomes: dict[str, "Future[None]"], case: Manner) -> None:
    outcomes[case.name].result()
