"""A server that says too much, or nothing: `snikket up` stays small, the logs bounded and clean, and nobody else notices."""

import os
import signal
import time
import unicodedata
from collections.abc import Callable, Iterator

import pytest

from world.appliance import without_pebble
from world.conversation import under_fire
from world.processes import Process
from world.service_watch import assert_untouched, replacement, services
from world.stage import Stage, peopled
from world.stand_in import StandIn, portal_stand_in
from world.waiting import until

# Two files of 5 MB, and what is in the middle of being written.
LOG_BOUND = 11 << 20
# In kilobytes: what `snikket up` may grow by while 100 MB pass through it.
GROWTH = 4_000


@pytest.fixture(scope="module")
def talker() -> Iterator[tuple[Stage, StandIn]]:
    with without_pebble("output", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        portal = portal_stand_in(appliance)
        yield peopled(appliance.started()), portal


def _start_again_as(scene: Stage, portal: StandIn, word: str) -> dict[str, dict]:
    """The others as they were before."""
    portal.behave(word)
    before = services(scene.appliance)
    os.kill(before["portal"]["pid"], signal.SIGKILL)
    replacement(scene.appliance, before, "portal", 40)
    return before


def _logs(scene: Stage, *arguments: str) -> bytes:
    process = scene.appliance._popen(
        ["logs", *arguments, "--config", str(scene.appliance.config), "--state", str(scene.appliance.state)], errors_apart=True)
    assert process.stdout is not None
    said = process.stdout.buffer.read()
    assert process.wait(30) == 0
    return said


def _log_size(scene: Stage, name: str) -> int:
    return sum(file.stat().st_size for file in (scene.appliance.state / "logs").glob(f"{name}.log*"))


def test_a_flood_of_100_mb_fills_neither_memory_nor_disk(
        talker: tuple[Stage, StandIn], measured: Callable[[str, float], None]) -> None:
    scene, portal = talker
    scene.assert_well()
    ourselves = Process(scene.pid, 0, "")
    memory = ourselves.kilobytes_resident()
    most = memory
    with under_fire(scene.wendy, scene.rick) as conversation:
        start = time.monotonic()
        before = _start_again_as(scene, portal, "floods")

        def poured() -> bool:
            nonlocal most
            most = max(most, ourselves.kilobytes_resident())
            assert _log_size(scene, "portal") <= LOG_BOUND
            return len(portal.notes("poured")) == 1

        until(poured, 90, "100 MB have been said")
        took = time.monotonic() - start
        measured("100 MB of log lines", took)
        scene.assert_well()
    assert conversation.sessions == 1 and conversation.silence(start) < 5
    assert_untouched(scene.appliance, before, {"portal"})
    assert most < memory + GROWTH, f"{memory} kB before, {most} kB at most"
    assert _log_size(scene, "portal") <= LOG_BOUND
    assert services(scene.appliance)["portal"]["state"] == "ready"
    assert b"the quick brown fox" in _logs(scene, "portal", "--lines", "5")


def test_what_it_says_cannot_harm_a_terminal(talker: tuple[Stage, StandIn]) -> None:
    scene, portal = talker
    scene.assert_well()
    ourselves = Process(scene.pid, 0, "")
    memory = ourselves.kilobytes_resident()
    _start_again_as(scene, portal, "babbles")
    until(lambda: b"the last words" in _logs(scene, "portal", "--lines", "40"), 30, "the last line is in the log")
    assert ourselves.kilobytes_resident() < memory + GROWTH
    said = _logs(scene, "portal", "--lines", "40").decode("utf-8")  # or it raises: there is nothing else in it
    for character in said:
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Zl", "Zp"), hex(ord(character))
        # What turns the direction (UAX #9).
        assert unicodedata.bidirectional(character) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"), hex(ord(character))
    lines = said.splitlines()
    assert max(map(len, lines)) < 10_000
    assert any("more]" in line and line.count("x") > 8_000 for line in lines), "the long line's beginning is kept"
    # Each line has its real moment, whatever the server says.
    made_up = next(line for line in lines if "a moment that it made up" in line)
    assert not made_up.startswith("2026-01-01"), made_up


def test_one_that_closes_its_output_is_still_seen_to_end(talker: tuple[Stage, StandIn]) -> None:
    scene, portal = talker
    scene.assert_well()
    _start_again_as(scene, portal, "mute")
    scene.assert_well()
    portal.behave("")
    before = services(scene.appliance)
    os.kill(before["portal"]["pid"], signal.SIGKILL)
    replaced = replacement(scene.appliance, before, "portal", 20)
    assert replaced.noticed < 5, "the kernel says so: no look at it does"
    scene.assert_well()
