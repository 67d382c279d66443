"""A server that forks: its own end counts, not its children's, and none of them is left when its successor starts."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from world.appliance import without_pebble
from world.harm import lives
from world.service_watch import replacement, services
from world.stage import Stage, peopled
from world.stand_in import StandIn, portal_stand_in
from world.waiting import until


@pytest.fixture(scope="module")
def parent() -> Iterator[tuple[Stage, StandIn]]:
    """The portal has four children that ignore signals: of its group and of sessions of their own, with its output open and without."""
    with without_pebble("family", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        portal = portal_stand_in(appliance)
        portal.behave("family")
        yield peopled(appliance.started()), portal


def _children(portal: StandIn) -> list[int]:
    return portal.notes("children")[-1]["children"]


def test_its_death_is_noticed_although_children_hold_its_output(
        parent: tuple[Stage, StandIn], measured: Callable[[str, float], None]) -> None:
    scene, portal = parent
    scene.assert_well()
    before = services(scene.appliance)
    children = _children(portal)
    assert all(map(lives, children))
    os.kill(before["portal"]["pid"], signal.SIGKILL)
    replaced = replacement(scene.appliance, before, "portal", 20)
    measured("a portal with children killed, until it is ready", replaced.ready)
    assert replaced.noticed < 5, "the kernel says so: no look at it does"
    assert portal.notes("started")[-1]["alive"] == [], "children were there when the successor started"
    assert not any(map(lives, children))
    scene.assert_well()


def test_none_of_them_is_left_after_a_restart(parent: tuple[Stage, StandIn]) -> None:
    scene, portal = parent
    scene.assert_well()
    children = _children(portal)
    with open(scene.appliance.config, "a") as file:
        file.write(f"SNIKKET_SITE_NAME=Ours {time.monotonic()}\n")
    assert scene.appliance.snikket("reload", seconds=60).returncode == 0
    assert portal.notes("started")[-1]["alive"] == []
    assert not any(map(lives, children))
    scene.assert_well()


def test_none_of_them_is_left_at_the_end(parent: tuple[Stage, StandIn]) -> None:
    scene, portal = parent
    scene.assert_well()
    start = time.monotonic()
    assert scene.appliance.stop(60) == 0
    assert time.monotonic() - start < 15
    assert not any(map(lives, _children(portal)))
    until(lambda: not scene.appliance.processes(), 5, "nothing is left")
