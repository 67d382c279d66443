"""A hundred signals in a second, to `snikket up` and to the servers: everything is as well afterwards as it was."""

import contextlib
import os
import select
import signal
from collections import Counter

import pytest

from world.conversation import under_fire
from world.harm import children, lives
from world.service_watch import assert_untouched, services
from world.stage import Stage
from world.waiting import until

# Signals that ask for nothing of `snikket up`. SIGTERM and SIGINT ask it to end, SIGQUIT for a core dump.
IDLE = [
    signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGWINCH, signal.SIGCONT, signal.SIGURG, signal.SIGIO,
    signal.SIGVTALRM, signal.SIGPROF,
]


def _hail(pid: int, numbers: list[signal.Signals], times: int = 100) -> None:
    """A hundred in a second."""
    for index in range(times):
        os.kill(pid, numbers[index % len(numbers)])
        select.select([], [], [], 0.01)


def test_signals_that_ask_for_nothing_change_nothing(scene: Stage) -> None:
    scene.assert_well()
    before = services(scene.appliance)
    with under_fire(scene.wendy, scene.rick) as conversation:
        for number in IDLE:
            _hail(scene.pid, [number], 10)
        _hail(scene.pid, IDLE)
        conversation.goes_on()
    assert scene.appliance.process is not None and scene.appliance.process.poll() is None
    assert_untouched(scene.appliance, before)
    assert conversation.sessions == 1
    scene.assert_well()


def test_a_hundred_hangups_are_not_a_hundred_reloads(scene: Stage) -> None:
    scene.assert_well()
    before = services(scene.appliance)
    said = Counter(scene.appliance.said.splitlines())
    with open(scene.appliance.config, "a") as file:
        file.write("SNIKKET_SITE_NAME=Ours\n")
    _hail(scene.pid, [signal.SIGHUP])
    until(lambda: services(scene.appliance)["portal"]["pid"] not in (None, before["portal"]["pid"]), 30, "the settings are in force")
    scene.assert_well()
    # Those that came while it was reloading were one more: never two at once, and far from a hundred.
    new = Counter(scene.appliance.said.splitlines()) - said
    reloads = sum(count for line, count in new.items() if "have been read again" in line or "another reload" in line)
    assert 1 <= reloads < 50 and not any("another reload" in line for line in new), new
    after = services(scene.appliance)
    assert after["portal"]["restarts"] == before["portal"]["restarts"] + 1, "restarted more than once"
    assert after["coturn"]["pid"] == before["coturn"]["pid"]
    scene.assert_well()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE], ids=lambda number: number.name)
def test_servers_that_are_hailed_at_serve_afterwards(scene: Stage, number: signal.Signals) -> None:
    scene.assert_well()
    with under_fire(scene.wendy, scene.rick) as conversation:
        for name, service in services(scene.appliance).items():
            for pid in [service["pid"], *children(service["pid"])]:
                for _ in range(100):
                    # It may end of it, at any moment.
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
        until(lambda: all(service["state"] == "ready" for service in services(scene.appliance).values()), 60, "every server is ready")
        conversation.goes_on()
    scene.assert_well()
    # One main process each, and nobody besides: SIGUSR2 has nginx start its successor beside itself.
    until(lambda: set(children(scene.pid)) == {service["pid"] for service in services(scene.appliance).values()}, 30, "nobody but the servers is there")
