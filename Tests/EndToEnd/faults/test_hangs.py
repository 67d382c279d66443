"""Halted or deadlocked, a server still accepts connections: the kernel does that. Each process of each server is hung, and replaced within 30 s.

Each case has an appliance of its own, and they wait beside each other.
"""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import pytest

from world.conversation import under_fire
from world.harm import children, deadlock, lives
from world.service_watch import Replacement, assert_serves, replacement, services
from world.stage import Stage, stage

# Until a hung server has been noticed and replaced, by the project's own promise for Prosody.
BOUND = 30

# A main loop that never comes back, put into the running configuration: it begins when a file appears.
LUA_LOOP = """
module:set_global();
module:add_timer(0.2, function()
	-- Only once: its successor is well.
	if os.remove(module:get_option_string("fault_file")) then while true do end end
	return 0.2;
end);
"""


@dataclass(frozen=True)
class Hang:
    name: str
    server: str
    how: Callable[[Stage, int], None]

    def run(self) -> "Outcome":
        return _run(self)


def _halt(_: Stage, pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def _halt_worker(_: Stage, pid: int) -> None:
    os.kill(children(pid)[0], signal.SIGSTOP)


def _deadlock(_: Stage, pid: int) -> None:
    deadlock(pid)


def _deadlock_worker(_: Stage, pid: int) -> None:
    deadlock(children(pid)[0])


def _loop_in_lua(scene: Stage, _: int) -> None:
    (scene.appliance.folder / "home/loop").touch()


CASES = [
    *(Hang(f"{server} halted", server, _halt) for server in ("prosody", "nginx", "coturn", "portal")),
    Hang("nginx's worker halted", "nginx", _halt_worker),
    *(Hang(f"{server} deadlocked", server, _deadlock) for server in ("prosody", "coturn", "portal")),
    Hang("nginx's worker deadlocked", "nginx", _deadlock_worker),
    Hang("prosody's main loop in a loop of its own", "prosody", _loop_in_lua),
]


@dataclass(frozen=True)
class Outcome:
    replaced: Replacement
    silence: float
    sessions: int


def _run(case: Hang) -> Outcome:
    with stage("hang") as scene:
        if case.how is _loop_in_lua:
            _give_prosody_a_module(scene, LUA_LOOP)
        scene.assert_well()
        before = services(scene.appliance)
        pid = before[case.server]["pid"]
        family = {pid, *children(pid)}
        with under_fire(scene.wendy, scene.rick) as conversation:
            start = time.monotonic()
            case.how(scene, pid)
            replaced = replacement(scene.appliance, before, case.server, BOUND + 15)
            assert not any(lives(member) for member in family), "something of the hung server is still there"
            assert_serves(scene.appliance, scene.wendy)
            conversation.goes_on()
        assert any(case.server in line for line in scene.appliance.said.splitlines() if " warning " in line or "error" in line)
        scene.assert_well()
        return Outcome(replaced, conversation.silence(start), conversation.sessions)


def _give_prosody_a_module(scene: Stage, code: str) -> None:
    """A module that is loaded at the next start: its configuration is changed behind the appliance's back."""
    folder = scene.appliance.folder
    (folder / "mod_fault.lua").write_text(code)
    file = scene.appliance.state / "run/prosody/prosody.cfg.lua"
    line = f'plugin_paths = {{ "{folder}"; '
    text = file.read_text().replace("plugin_paths = { ", line).replace('"snikket_api";', '"snikket_api"; "fault";')
    text = text.replace("VirtualHost", f'fault_file = "{folder}/home/loop"\nVirtualHost', 1)
    assert line in text and '"fault"' in text
    file.write_text(text)
    before = services(scene.appliance)
    os.kill(before["prosody"]["pid"], signal.SIGKILL)
    replacement(scene.appliance, before, "prosody", 20)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hung_server_is_noticed_and_replaced(
        played: dict[Hang, "Future[Outcome]"], case: Hang, measured: Callable[[str, float], None]) -> None:
    outcome = played[case].result()
    measured(f"{case.name}, until another is ready", outcome.replaced.ready)
    # How long a start takes after that depends on the machine; it is measured above.
    assert outcome.replaced.noticed < BOUND
    if case.server != "prosody":
        assert outcome.sessions == 1 and outcome.silence < 10, "people who write to each other noticed it"


@dataclass(frozen=True)
class DeadlockedMaster:
    """It looks like one that has nothing to do, and its worker does everything: it harms nobody until it is needed."""

    name = "nginx's master deadlocked"

    def run(self) -> float:
        with stage("master") as scene:
            scene.assert_well()
            before = services(scene.appliance)
            master = before["nginx"]["pid"]
            worker = children(master)[0]
            deadlock(master)
            assert_serves(scene.appliance, scene.wendy)
            os.kill(worker, signal.SIGKILL)
            replaced = replacement(scene.appliance, before, "nginx", BOUND + 15)
            assert not lives(master)
            scene.assert_well()
            return replaced.ready


@pytest.mark.parametrize("case", [DeadlockedMaster()], ids=lambda case: case.name)
def test_a_deadlocked_master_of_nginx_is_replaced_when_it_is_needed(
        played: dict[DeadlockedMaster, "Future[float]"], case: DeadlockedMaster, measured: Callable[[str, float], None]) -> None:
    measured(f"{case.name} and its worker killed, until another is ready", played[case].result())
