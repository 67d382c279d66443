"""A server that does not end when it is told to: it is killed after its time, and so the whole has an end."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from world.appliance import without_pebble
from world.harm import lives
from world.processes import of_users
from world.service_watch import NAMES, services
from world.stage import Stage, peopled, stage
from world.stand_in import StandIn, portal_stand_in
from world.waiting import until

# A server's time to end in order, and what the others take.
STOP_DEADLINE, REST = 10, 10


@pytest.fixture
def deaf() -> Iterator[tuple[Stage, StandIn]]:
    with without_pebble("deaf", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        portal = portal_stand_in(appliance)
        portal.behave("deaf")
        yield peopled(appliance.started()), portal


def test_at_the_end_it_is_killed_after_its_time(deaf: tuple[Stage, StandIn], measured: Callable[[str, float], None]) -> None:
    scene, portal = deaf
    scene.assert_well()
    start = time.monotonic()
    assert scene.appliance.stop(60) == 0
    took = time.monotonic() - start
    measured("the whole stops, with a server that ignores SIGTERM", took)
    assert portal.notes("ignored"), "it was not even asked"
    assert took < STOP_DEADLINE + REST
    until(lambda: not scene.appliance.processes(), 5, "nothing is left")


def test_at_a_restart_too(deaf: tuple[Stage, StandIn], measured: Callable[[str, float], None]) -> None:
    scene, portal = deaf
    before = services(scene.appliance)
    family = [process.pid for process in scene.appliance.processes() if "portal --file" in process.command]
    assert len(family) >= 2, family
    with open(scene.appliance.config, "a") as file:
        file.write("SNIKKET_SITE_NAME=Ours\n")
    portal.behave("")
    start = time.monotonic()
    answer = scene.appliance.snikket("reload", seconds=60)
    assert answer.returncode == 0, answer.stderr
    measured("a restart of a server that ignores SIGTERM", time.monotonic() - start)
    assert portal.notes("ignored")
    assert time.monotonic() - start < STOP_DEADLINE + REST
    assert not any(lives(pid) for pid in family)
    assert services(scene.appliance)["portal"]["pid"] != before["portal"]["pid"]
    scene.assert_well()


def test_halted_servers_do_not_hold_up_the_end(measured: Callable[[str, float], None]) -> None:
    with stage("halted") as scene:
        scene.assert_well()
        for name in NAMES:
            os.kill(services(scene.appliance)[name]["pid"], signal.SIGSTOP)
        start = time.monotonic()
        assert scene.appliance.stop(60) == 0
        measured("the whole stops, with every server halted", time.monotonic() - start)
        assert time.monotonic() - start < STOP_DEADLINE + REST
        until(lambda: not of_users({scene.appliance.uid}), 5, "nothing is left")
