"""A server that fails again and again: growing pauses, then `failed`, said by name; everything else goes on.

When the cause is gone it comes back: by itself, or at once by `snikket reload`.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from world.appliance import without_pebble
from world.mailbox import Mailbox, mailbox
from world.service_watch import assert_serves, assert_untouched, services
from world.stage import Stage, peopled
from world.stand_in import StandIn, portal_stand_in
from world.waiting import until


@dataclass(frozen=True)
class Loop:
    name: str
    # Makes every further start fail.
    spoil: Callable[[Stage], None]
    reason: str

    def run(self) -> None:
        _run(self)


def _break_file(path: str, text: str) -> Callable[[Stage], None]:
    return lambda scene: (scene.appliance.state / path).write_text(text) and None


CASES = [
    Loop("prosody", _break_file("run/prosody/prosody.cfg.lua", "this is no Lua"), "status 1"),
    Loop("nginx", _break_file("run/nginx/nginx.conf", "worker_processes many;"), "status 1"),
    # It starts with nearly anything, but not as nobody.
    Loop("coturn", _break_file("run/coturn/turnserver.conf", "proc-user=nobody-of-that-name\n"), "status 255"),
    Loop("portal", _break_file("run/portal/portal.json", "{"), "status"),
]


def _run(case: Loop) -> None:
    with without_pebble("loop", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, mailbox(appliance.folder) as box:
        appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
        scene = peopled(appliance.started())
        scene.assert_well()
        before = services(appliance)
        case.spoil(scene)
        os.kill(before[case.name]["pid"], signal.SIGKILL)
        _assert_failed(scene, case, box, before)
        # The cause is gone when the file is written anew, and nobody has to wait for the long pause to end.
        start = time.monotonic()
        answer = appliance.snikket("reload", seconds=60)
        assert answer.returncode == 0 and case.name in answer.stdout, answer.stdout + answer.stderr
        assert time.monotonic() - start < 40
        scene.assert_well()
        assert_untouched(appliance, before, {case.name, "nginx"})
        assert len(_told(box, case.name)) == 1


def _told(box: Mailbox, name: str) -> list[str]:
    return [message.get_content() for message in box.messages if name in message.get_content()]


def _assert_failed(scene: Stage, case: Loop, box: Mailbox, before: dict[str, dict[str, Any]]) -> None:
    appliance = scene.appliance
    until(lambda: services(appliance)[case.name]["state"] == "failed", 60, f"{case.name} counts as failed")
    failed = services(appliance)[case.name]
    assert case.reason in failed["last_problem"] and failed["pid"] is None, failed
    assert appliance.status()["healthy"] is False
    assert any(case.name in line and "failed" in line for line in appliance.snikket("status").stdout.splitlines())
    assert_untouched(appliance, before, {case.name})
    assert_serves(appliance, scene.wendy, but={case.name})
    appliance.line(f"snikket: error: {case.name} keeps failing", 30)
    until(lambda: _told(box, case.name), 30, "the administrator is told")
    assert "keeps failing" in _told(box, case.name)[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_server_with_a_broken_configuration_is_named_and_heals_by_a_reload(played: dict[Loop, "Future[None]"], case: Loop) -> None:
    played[case].result()


@pytest.fixture
def crashing() -> Iterator[tuple[Stage, StandIn]]:
    with without_pebble("crashing", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        portal = portal_stand_in(appliance)
        yield peopled(appliance.started()), portal


def test_pauses_grow_and_a_cause_that_goes_away_needs_nobody(crashing: tuple[Stage, StandIn]) -> None:
    scene, portal = crashing
    before = services(scene.appliance)
    portal.behave("crashes")
    os.kill(before["portal"]["pid"], signal.SIGKILL)
    until(lambda: len(portal.notes("started")) >= 7, 30, "the sixth start in a row has failed")
    portal.behave("")
    scene.assert_well()
    moments = [note["at"] for note in portal.notes("started")]
    pauses = [later - earlier for earlier, later in pairwise(moments[1:])]
    # A fifth of each is chance, and what a start itself takes is in it too: the last is longer than the second all the same.
    assert pauses[-1] > pauses[1] and pauses[-1] > 3, pauses
    assert_untouched(scene.appliance, before, {"portal"})


@pytest.mark.timeout(900)
def test_without_anybody_it_is_tried_again_and_told_of_once_more(long: bool) -> None:
    """The long pause and the time until it counts as well again are minutes: only `--long` waits for them."""
    if not long:
        return
    with without_pebble("alone", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, mailbox(appliance.folder) as box:
        appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
        portal = portal_stand_in(appliance)
        scene = peopled(appliance.started())
        portal.behave("crashes")
        os.kill(services(appliance)["portal"]["pid"], signal.SIGKILL)
        until(lambda: _told(box, "portal"), 90, "the administrator is told")
        starts = len(portal.notes("started"))
        until(lambda: len(portal.notes("started")) > starts, 400, "it is tried again after the long pause")
        portal.behave("")
        scene.assert_well(400)
        until(lambda: len(_told(box, "portal")) == 2, 200, "the administrator is told that it is over")
        assert "works again" in _told(box, "portal")[1]


def test_one_that_never_came_up_keeps_nobody_else_away() -> None:
    with without_pebble("never", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        portal = portal_stand_in(appliance)
        portal.behave("crashes")
        appliance.start().line("snikket: error: portal does not become ready", 60)
        assert {name for name, service in services(appliance).items() if service["state"] == "ready"} == {"prosody", "nginx", "coturn"}
        until(lambda: services(appliance)["portal"]["state"] == "failed", 60, "the portal counts as failed")
        started = len(portal.notes("started"))
        portal.behave("")
        assert started <= 9
        answer = appliance.snikket("reload", seconds=60)
        assert answer.returncode == 0, answer.stderr
        appliance.line("ready ", 30)
        assert appliance.said.count("does not become ready") <= 3, "said again and again"
        peopled(appliance).assert_well()
