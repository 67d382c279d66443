"""Nobody reads what `snikket up` prints (a stuck journal, a halted terminal): it goes on as ever, and says later what it could not."""

import fcntl
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from subprocess import Popen
from typing import Any

import pytest

from world.appliance import Appliance, scratch
from world.processes import Process
from world.service_watch import NAMES, replacement, services
from world.stage import peopled
from world.stand_in import StandIn, portal_stand_in
from world.waiting import until

# In kilobytes: what may wait, what is being written, and what a heap of a debug build takes besides. A tenth of what is said.
GROWTH = 10_000


class Unread(Appliance):
    """Its output is a pipe that is full from the first moment, and that is read when the test says so."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.is_read = threading.Event()

    def _popen(self, arguments: list[str], errors_apart: bool = False, **options: Any) -> "Popen[str]":
        if errors_apart:
            return super()._popen(arguments, errors_apart, **options)
        reading, writing = os.pipe()
        _fill(reading)
        process = super()._popen(arguments, output=writing, **options)
        os.close(writing)
        process.stdout = open(reading, errors="replace")
        return process

    def _listen(self, process: "Popen[str]") -> None:
        self.is_read.wait()
        super()._listen(process)


def _fill(reading: int) -> None:
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
    writing = os.open(f"/proc/self/fd/{reading}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writing, b"\n")
    except BlockingIOError:
        os.close(writing)


@pytest.fixture
def unread() -> Iterator[tuple[Unread, StandIn]]:
    with scratch("unread") as folder:
        appliance = Unread(folder, settings={"SNIKKET_CERTIFICATE": "internal"})
        portal = portal_stand_in(appliance)
        try:
            # As under systemd, what the servers print goes there, too.
            yield appliance.start({"JOURNAL_STREAM": "1:1"}), portal
        finally:
            appliance.is_read.set()
            appliance.end()


def test_every_server_is_still_watched_and_what_was_left_out_is_counted(unread: tuple[Unread, StandIn]) -> None:
    appliance, portal = unread
    appliance.healthy(60)
    scene = peopled(appliance)
    for name in NAMES:
        before = services(appliance)
        os.kill(before[name]["pid"], signal.SIGKILL)
        replacement(appliance, before, name, 30)
        assert appliance.snikket("status", seconds=20).returncode in (0, 1)
    scene.assert_well()
    memory = Process(scene.pid, 0, "").kilobytes_resident()
    # More than can wait.
    portal.behave("floods")
    before = services(appliance)
    os.kill(before["portal"]["pid"], signal.SIGKILL)
    replacement(appliance, before, "portal", 40)
    until(lambda: portal.notes("poured"), 90, "100 MB have been said")
    scene.assert_well()
    assert Process(scene.pid, 0, "").kilobytes_resident() < memory + GROWTH
    assert "the quick brown fox" in (appliance.state / "logs/portal.log").read_text(), "its own log has it"

    appliance.is_read.set()
    appliance.line("ready ", 20)
    until(lambda: re.search(r"snikket: \(\d+ lines were left out here", appliance.said), 20, "it is said how many are missing")
    said = appliance.said
    for name in NAMES:
        assert re.search(f"service={name} .*service failed", said), f"what happened to {name} meanwhile"
    portal.behave("")
    before = services(appliance)
    os.kill(before["portal"]["pid"], signal.SIGKILL)
    replacement(appliance, before, "portal", 30)
    until(lambda: "service=portal" in appliance.said[len(said):], 20, "what happens from now on is said")
    assert appliance.stop() == 0
    assert "snikket: stopping" in appliance.said and "Shutdown complete" in appliance.said[-1_000:], "the last words of whoever ends last"


def test_it_ends_in_order_although_nobody_reads(unread: tuple[Unread, StandIn]) -> None:
    appliance, _ = unread
    appliance.healthy(60)
    start = time.monotonic()
    assert appliance.stop() == 0
    assert time.monotonic() - start < 20
    until(lambda: not appliance.processes(), 5, "nothing is left")
