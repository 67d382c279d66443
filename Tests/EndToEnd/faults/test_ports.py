"""A port that another program has: named before the start, and when it was taken while a server was away."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from world.appliance import without_pebble
from world.service_watch import assert_serves, assert_untouched, replacement, services
from world.stage import Stage
from world.waiting import until

# Takes the port as soon as it is free, and keeps it until its standard input ends.
THIEF = """
import socket, sys
kind, port = int(sys.argv[1]), int(sys.argv[2])
while True:
    try:
        taken = socket.socket(socket.AF_INET6, kind)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taken.bind(("::", port))
        if kind == socket.SOCK_STREAM: taken.listen()
        break
    except OSError:
        taken.close()
print("taken", flush=True)
sys.stdin.read()
"""


@contextmanager
def thief(appliance, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[subprocess.Popen]:
    """A program of the appliance's own user, so that it can be seen who it is."""
    who = {"user": appliance.uid, "group": appliance.uid, "extra_groups": []} if appliance.uid != os.geteuid() else {}
    process = subprocess.Popen(
        ["python3", "-c", THIEF, str(int(kind)), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
        env={"PATH": "/usr/bin:/bin"}, **who)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("port", ["http", "https", "client", "turn", "internal"])
def test_before_the_start_it_is_refused_with_the_programs_name(port: str) -> None:
    with without_pebble("taken", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        number = getattr(appliance.ports, port)
        kind = socket.SOCK_DGRAM if port == "turn" else socket.SOCK_STREAM
        with thief(appliance, number, kind) as other:
            assert other.stdout is not None and other.stdout.readline() == "taken\n"
            appliance.start()
            assert appliance.process is not None and appliance.process.wait(20) == 1
            assert f"port {number} " in appliance.line("snikket: error:", 5)
            assert f"python3 (process {other.pid})" in appliance.line("snikket: cause:", 5)
            assert not (appliance.state / "run/control/socket").exists()
        appliance.process = None
        appliance.started()


@pytest.mark.parametrize(("name", "port"), [("prosody", "client"), ("nginx", "https"), ("coturn", "turn")])
def test_taken_while_the_server_was_away_it_is_named_and_taken_back(scene: Stage, name: str, port: str) -> None:
    scene.assert_well()
    before = services(scene.appliance)
    kind = socket.SOCK_DGRAM if port == "turn" else socket.SOCK_STREAM
    number = getattr(scene.appliance.ports, port)
    with thief(scene.appliance, number, kind) as other:
        # `snikket up` is halted meanwhile: it would be faster than any thief.
        os.kill(scene.pid, signal.SIGSTOP)
        os.killpg(before[name]["pid"], signal.SIGKILL)
        assert other.stdout is not None and other.stdout.readline() == "taken\n"
        os.kill(scene.pid, signal.SIGCONT)

        def named() -> bool:
            problem = services(scene.appliance)[name]["last_problem"] or ""
            return "python" in problem and str(number) in problem

        until(named, 10, f"the program that has {name}'s port is named")
        assert services(scene.appliance)[name]["state"] != "ready"
        assert_serves(scene.appliance, scene.wendy, but={name})
        assert_untouched(scene.appliance, before, {name})
    replacement(scene.appliance, before, name, 40)
    scene.assert_well()
