"""ENOSPC, and EIO, at each single call by which `snikket up`, `snikket reload` and `snikket init` change a file.

Usually some of the calls, others each time; `--long` takes every single one. What `snikket-certs` does is in test_every_step.py, what a kill does to the
servers' copies in test_servers_copies.py.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from world.appliance import CONFIGURATION, Appliance, without_pebble
from world.fault import Fault, calls, pair, some
from world.waiting import until

INTERNAL = {"SNIKKET_CERTIFICATE": "internal"}
WRONG = [(errno.ENOSPC, False), (errno.ENOSPC, True), (errno.EIO, False)]
NAMES = ["full-once", "full", "broken"]
AT_ONCE = 5


def _log(appliance: Appliance, name: str) -> Path:
    log = appliance.folder / f"{name}.calls"
    log.touch()
    os.chown(log, appliance.uid, appliance.uid)
    return log


def _three_parts(text: str, what: str) -> None:
    for part in ("error: ", "cause: ", "try:   "):
        assert any(line.startswith(f"snikket: {part}") for line in text.splitlines()), f"{what}: no `{part}` in {text!r}"


def _whole(state: Path, what: str) -> None:
    """Each file that has to survive is the old or the new one."""
    for name in ("api", "turn"):
        secret = state / "secrets" / name
        assert not secret.exists() or len(secret.read_bytes()) == 65, f"{what}: {secret}"
    for file in (state / "messages.json", state / "certificates/attempts.json", state / "run/portal/portal.json", state / "run/chat.json"):
        if file.exists():
            json.loads(file.read_text())
    for server in ("prosody", "nginx", "coturn"):
        folder = state / "run" / server / "tls"
        if folder.exists():
            pair(folder)
    for file, end in (("prosody/prosody.cfg.lua", "}"), ("nginx/nginx.conf", "}")):
        path = state / "run" / file
        assert not path.exists() or path.read_text().rstrip().endswith(end), f"{what}: {path} is cut off"


def _beside_each_other(steps: list[int], work: Callable[[list[int]], None]) -> None:
    """Does `work` with a part of the steps each, as each step mostly waits."""
    parts = [part for first in range(AT_ONCE) if (part := steps[first::AT_ONCE])]
    with ThreadPoolExecutor(len(parts)) as pool:
        for _ in pool.map(work, parts):
            pass


@contextmanager
def _stopped(kind: str) -> Iterator[Appliance]:
    """Nothing yet ("first"); or an appliance that has run before, of which everything rendered is gone, as after a reboot ("again")."""
    with without_pebble("refusing", settings=INTERNAL) as appliance:
        if kind == "again":
            assert appliance.started().stop() == 0
            shutil.rmtree(appliance.state / "run")
            shutil.rmtree(appliance.state / "accepted")
        subprocess.run(["cp", "-a", str(appliance.state), str(appliance.folder / "before")], check=True)
        yield appliance


def _reset(appliance: Appliance) -> None:
    shutil.rmtree(appliance.state)
    subprocess.run(["cp", "-a", str(appliance.folder / "before"), str(appliance.state)], check=True)


# Every single one takes long.
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("error", "for_ever"), WRONG, ids=NAMES)
@pytest.mark.parametrize("kind", ["first", "again"])
def test_a_start(kind: str, error: int, for_ever: bool, long: bool) -> None:
    with _stopped(kind) as appliance:
        log = _log(appliance, "start")
        appliance.start(Fault(appliance.state).environment(log)).line("ready ", 60)
        # What is written every now and then while it runs and at its end is not part of a start.
        steps = calls(log)
        assert appliance.stop() == 0
    assert len(steps) > 40, steps

    def work(part: list[int]) -> None:
        with _stopped(kind) as appliance:
            for at in part:
                _reset(appliance)
                _start_with(appliance, Fault(appliance.state, at, error, for_ever), steps[at - 1])

    _beside_each_other(some(len(steps), long, 2), work)


def _start_with(appliance: Appliance, fault: Fault, step: str) -> None:
    """It serves, or says why not and ends; and without the fault it starts as if nothing had been."""
    what = f"{fault}, {step}"
    process = appliance.start(fault.environment()).process
    assert process is not None
    until(lambda: process.poll() is not None or "ready " in appliance.said or "snikket: try: " in appliance.said, 60, f"{what}: it says something")
    if "ready " not in appliance.said:
        # It may be about to end, or it tries again.
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    if process.poll() is None and "snikket: stopping" not in appliance.said:
        # It could do without, or tries again: the service is up, or says why it is not.
        has_said_why = "snikket: try: " in appliance.said
        # Having said why it ends, it listens to no signal any more.
        assert appliance.stop() in (0, 1, *([-signal.SIGTERM] if has_said_why else [])), what
        code = None
    else:
        code = appliance.ended()
        assert code == 1, f"{what}: {code} {appliance.said}"
    if code is not None or "ready " not in appliance.said:
        _three_parts(appliance.said, what)
    until(lambda: not appliance.processes(), 15, f"{what}: nothing is left running")
    _whole(appliance.state, what)
    appliance.started()
    assert appliance.stop() == 0, what
    left = [str(path) for path in appliance.state.rglob("*") if ".new-" in path.name]
    assert not left, f"{what}: {left}"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("error", "for_ever"), WRONG, ids=NAMES)
def test_a_reload(error: int, for_ever: bool, long: bool) -> None:
    """All or nothing; and where it was nothing, the next one does it."""
    with without_pebble("refusing-reload", settings=INTERNAL) as appliance:
        plain = appliance.config.read_text()
        log = _log(appliance, "reload")
        appliance.start(Fault(appliance.state).environment(log)).line("ready ", 60)
        before = len(calls(log))
        appliance.config.write_text(plain + "SNIKKET_SITE_NAME=Counted\nSNIKKET_UPLOAD_LIMIT_MB=9\n")
        assert appliance.snikket("reload", seconds=90).returncode == 0
        steps = calls(log)[before:]
        assert any("portal.json" in step for step in steps) and any("prosody.cfg.lua" in step for step in steps), steps
        assert appliance.stop() == 0

    def work(part: list[int]) -> None:
        with without_pebble("refusing-reload", settings=INTERNAL) as appliance:
            for at in part:
                _reload_with(appliance, at, error, for_ever, steps[at - 1])

    _beside_each_other(some(len(steps), long, 1), work)


def _reload_with(appliance: Appliance, at: int, error: int, for_ever: bool, step: str) -> None:
    appliance.config.write_text(CONFIGURATION)
    assert appliance.started().stop() == 0
    # The calls of a start that finds everything in place, counted afresh.
    again = _log(appliance, f"again{at}")
    appliance.start(Fault(appliance.state).environment(again)).line("ready ", 60)
    own = len(calls(again))
    assert appliance.stop() == 0
    fault = Fault(appliance.state, own + at, error, for_ever)
    what = f"{fault}, about {step}"
    appliance.start(fault.environment()).line("ready ", 60)
    appliance.config.write_text(CONFIGURATION + f"SNIKKET_SITE_NAME=Number {at}\nSNIKKET_UPLOAD_LIMIT_MB=9\n")
    answer = appliance.snikket("reload", seconds=90)
    portal = (appliance.state / "run/portal/portal.json").read_text()
    prosody = (appliance.state / "run/prosody/prosody.cfg.lua").read_text()
    if answer.returncode == 0:
        assert f"Number {at}" in portal and f"Number {at}" in prosody, what
    else:
        assert answer.returncode in (1, 75), f"{what}: {answer}"
        _three_parts(answer.stderr, what)
        if not for_ever:
            assert f"Number {at}" not in portal and f"Number {at}" not in prosody, f"{what}: half of it"
    _whole(appliance.state, what)
    if not for_ever:
        assert appliance.snikket("reload", seconds=90).returncode == 0, what
        assert f"Number {at}" in (appliance.state / "run/portal/portal.json").read_text(), what
        appliance.healthy(60)
    assert appliance.stop() == 0, what
    appliance.started()
    assert f"Number {at}" in (appliance.state / "run/portal/portal.json").read_text(), what
    assert appliance.stop() == 0


@pytest.mark.parametrize(("error", "for_ever"), WRONG, ids=NAMES)
def test_init(error: int, for_ever: bool) -> None:
    """Quick: every single call, always."""
    with without_pebble("refusing-init") as appliance:
        place = appliance.folder / "new"
        place.mkdir()
        os.chown(place, appliance.uid, appliance.uid)
        appliance.config = place / "snikket.conf"
        arguments = ["init", "--domain", "chat.example.org", "--email", "admin@example.org", "--agree-tos"]

        def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
            process = appliance._popen([*arguments, "--config", str(appliance.config)], errors_apart=True, environment=environment)
            out, problem = process.communicate(timeout=30)
            return subprocess.CompletedProcess(arguments, process.returncode, out, problem)

        log = _log(appliance, "init")
        assert run(Fault(place).environment(log)).returncode == 0
        good = appliance.config.read_text()
        steps = calls(log)
        assert len(steps) >= 4, steps
        for at in range(1, len(steps) + 1):
            appliance.config.unlink(missing_ok=True)
            fault = Fault(place, at, error, for_ever)
            answer = run(fault.environment())
            if answer.returncode == 0:
                assert appliance.config.read_text() == good, fault
            else:
                assert answer.returncode == 1, f"{fault}: {answer}"
                _three_parts(answer.stderr, str(fault))
                assert not appliance.config.exists() or appliance.config.read_text() == good, f"{fault}: half a file"
            appliance.config.unlink(missing_ok=True)
            assert run({}).returncode == 0, fault
            assert [path.name for path in place.iterdir()] == ["snikket.conf"], fault
