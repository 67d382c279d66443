"""`snikket up`, killed at each call by which it gives the servers their files and their copies of the certificate."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.appliance import Appliance, installation, without_pebble
from world.fault import Fault, assert_tidy, calls, pair, some
from world.waiting import Late, until

SERVERS = ["prosody", "nginx", "coturn"]


@pytest.fixture(params=["first", "renewal"])
def stopped(request: pytest.FixtureRequest) -> Iterator[Appliance]:
    """An appliance with a certificate, whose servers have no copies of it yet, as after a reboot, or have copies of the one before."""
    with without_pebble("copies", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started().stop()
        run = appliance.state / "run"
        if request.param == "first":
            shutil.rmtree(run)
        else:
            store = appliance.state / "certificates"
            before = pair(store)
            subprocess.run(
                [str(installation() / "bin/snikket-certs"), "internal", "--state", str(store), "--output", str(store)]
                + [part for name in names(store) for part in ("--name", name)],
                check=True, capture_output=True, user=appliance.uid, group=appliance.uid)
            assert pair(store) != before == pair(run / "nginx/tls")
        keep(appliance.state, appliance.folder / "before")
        yield appliance


def names(store: Path) -> list[str]:
    text = subprocess.run(
        ["openssl", "x509", "-in", str(store / "fullchain.pem"), "-noout", "-ext", "subjectAltName"], check=True, capture_output=True, text=True)
    return [name.strip().removeprefix("DNS:") for name in text.stdout.splitlines()[1].split(",")]


def keep(folder: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", str(folder), str(copy)], check=True)


@pytest.fixture
def log(stopped: Appliance) -> Path:
    """Of the calls that a run makes."""
    log = stopped.folder / "calls.log"
    log.touch()
    os.chown(log, stopped.uid, stopped.uid)
    return log


def count_calls(appliance: Appliance, run: Path, log: Path) -> list[str]:
    appliance.start(Fault(run).environment(log)).line("ready ", 60)
    found = calls(log)
    appliance.stop()
    return found


def assert_killed(appliance: Appliance, fault: Fault, log: Path, what: str) -> None:
    os.truncate(log, 0)
    process = appliance.start(fault.environment(log)).process
    assert process is not None
    until(lambda: process.poll() is not None or "\nready " in f"\n{appliance.said}", 60, f"{what}: it is killed")
    # How often the page of what is being waited for is written differs, and so does how many calls a start makes.
    assert appliance.stop() == -signal.SIGKILL or len(calls(log)) < fault.at, f"{what}: it is not killed\n{appliance.said}"


def test_killed_at_any_call(stopped: Appliance, log: Path, long: bool) -> None:
    state = stopped.state
    run = state / "run"
    steps = count_calls(stopped, run, log)
    copying = [number for number, step in enumerate(steps, 1) if "/tls" in step]
    assert len(copying) > 3 * 20, steps
    others = [number for number in range(1, len(steps) + 1) if number not in copying]
    chosen = [copying[at - 1] for at in some(len(copying), long, 3)] + [others[at - 1] for at in some(len(others), False, 8 if long else 1)]
    for at in chosen:
        keep(stopped.folder / "before", state)
        present = {pair(state / "certificates"), *(pair(run / name / "tls") for name in SERVERS if (run / name / "tls").exists())}
        assert_killed(stopped, Fault(run, at), log, f"at {at} of {len(steps)}, {steps[at - 1]}")
        try:
            until(lambda: not stopped.processes(), 10, "nothing outlives it")
        except Late as late:
            raise Late(f"{late} at {at}, {steps[at - 1]}: {stopped.processes()}") from None
        for name in SERVERS:
            folder = run / name / "tls"
            found = pair(folder) if folder.exists() else None
            assert found is None or found in present
        stopped.started()
        for name in SERVERS:
            assert_tidy(run / name / "tls")
            assert pair(run / name / "tls") == pair(state / "certificates")
        # What it is just writing itself is gone in a moment; what is left behind is not.
        until(lambda: not [path for path in state.rglob("*") if ".new" in path.name], 10, f"killed at {at}, {steps[at - 1]}: nothing is left")
        assert stopped.stop() == 0
