"""Kill -9 of each process of each server: noticed by the kernel's word, replaced at once, nobody else touched, no message lost."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from world.conversation import under_fire
from world.harm import children, lives, open_files
from world.processes import Process
from world.service_watch import NAMES, assert_serves, assert_untouched, replacement, services
from world.stage import Stage
from world.waiting import until


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_server_is_replaced_and_nothing_is_lost(scene: Stage, name: str, measured: Callable[[str, float], None]) -> None:
    scene.assert_well()
    before = services(scene.appliance)
    with under_fire(scene.wendy, scene.rick) as conversation:
        start = time.monotonic()
        os.kill(before[name]["pid"], signal.SIGKILL)
        replaced = replacement(scene.appliance, before, name, 20)
        assert_serves(scene.appliance, scene.wendy)
        assert "signal 9" in replaced.problem
        assert replaced.noticed < 5, "the kernel says so: no look at it does"
        conversation.goes_on()
    measured(f"{name} killed, until it is ready", replaced.ready)
    measured(f"{name} killed, longest silence of a conversation", conversation.silence(start))
    if name != "prosody":
        assert conversation.sessions == 1 and conversation.silence(start) < 5, "people who write to each other noticed it"
    assert any(name in line and "signal 9" in line for line in scene.appliance.said.splitlines()), "the journal says nothing of it"
    scene.assert_well()


def test_a_killed_worker_of_nginx_is_replaced_by_nginx_itself(scene: Stage) -> None:
    scene.assert_well()
    before = services(scene.appliance)
    master = before["nginx"]["pid"]
    workers = children(master)
    assert len(workers) == 1, workers
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: [child for child in children(master) if child not in workers and lives(child)], 10, "another worker")
    assert_serves(scene.appliance, scene.wendy)
    assert_untouched(scene.appliance, before)
    scene.assert_well()


def test_killed_all_at_once_they_all_come_back(scene: Stage, measured: Callable[[str, float], None]) -> None:
    scene.assert_well()
    before = services(scene.appliance)
    with under_fire(scene.wendy, scene.rick) as conversation:
        start = time.monotonic()
        for name in NAMES:
            os.kill(before[name]["pid"], signal.SIGKILL)
        until(lambda: all(
            service["state"] == "ready" and service["pid"] not in (None, before[name]["pid"])
            for name, service in services(scene.appliance).items()), 40, "all four are ready")
        assert_serves(scene.appliance, scene.wendy)
        measured("all four killed, until they are ready", time.monotonic() - start)
        conversation.goes_on()
    scene.assert_well()


def test_fifty_killed_portals_leave_nothing_behind_in_snikket_up(scene: Stage) -> None:
    scene.assert_well()
    ourselves = Process(scene.pid, 0, "")

    def kill_once() -> None:
        portal = services(scene.appliance)["portal"]
        os.kill(portal["pid"], signal.SIGKILL)

        def another() -> bool:
            now = services(scene.appliance)["portal"]
            if now["state"] in ("backing-off", "failed"):
                # Somebody who has mended it does not wait for the pause to end.
                assert scene.appliance.snikket("reload", seconds=60).returncode == 0
            return now["state"] == "ready" and now["pid"] not in (None, portal["pid"])

        until(another, 40, "another portal")

    for _ in range(10):
        kill_once()
    files, memory = open_files(scene.pid), ourselves.kilobytes_resident()
    for _ in range(40):
        kill_once()
    scene.assert_well()
    # A question that is being answered, and a probe, have files of their own.
    until(lambda: open_files(scene.pid) <= files + 4, 20, f"about {files} files are open")
    assert ourselves.kilobytes_resident() < memory + 2_000, (memory, ourselves.kilobytes_resident())
