"""A server that takes its time, and one that says half of what it should, or nonsense: waited for, named, and replaced; nobody else is held up."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import pytest

from world.appliance import without_pebble
from world.conversation import under_fire
from world.service_watch import assert_serves, assert_untouched, services
from world.stage import peopled
from world.stand_in import portal_stand_in
from world.waiting import until


@dataclass(frozen=True)
class Manner:
    name: str
    word: str
    # Whether it serves in the end by itself.
    is_good: bool

    def run(self) -> float:
        return _run(self)


CASES = [Manner("20 seconds late", "slow", True), Manner("half an answer", "half_an_answer", False), Manner("garbage", "garbage", False)]


def _run(case: Manner) -> float:
    with without_pebble("manners", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        portal = portal_stand_in(appliance)
        scene = peopled(appliance.started())
        scene.assert_well()
        before = services(appliance)
        portal.behave(case.word)
        with under_fire(scene.wendy, scene.rick) as conversation:
            start = time.monotonic()
            os.kill(before["portal"]["pid"], signal.SIGKILL)
            until(lambda: len(portal.notes("started")) == 2, 10, "the next one has been started")
            until(lambda: services(appliance)["portal"]["state"] == "starting", 5, "it is starting")
            assert appliance.status()["healthy"] is False
            assert_serves(appliance, scene.wendy, but={"portal"})
            if not case.is_good:
                until(lambda: "not serving" in services(appliance)["portal"]["last_problem"], 45, "it is given up on, and why")
                portal.behave("")
            scene.assert_well()
            took = time.monotonic() - start
        assert conversation.sessions == 1 and conversation.silence(start) < 10
        assert_untouched(appliance, before, {"portal"})
        if case.is_good:
            assert services(appliance)["portal"]["restarts"] == before["portal"]["restarts"] + 1, "one that was only slow was started again"
        return took


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_portal_that_behaves_oddly(played: dict[Manner, "Future[float]"], case: Manner, measured: Callable[[str, float], None]) -> None:
    measured(f"a portal with {case.name}, until it serves", played[case].result())
