"""Two commands that want the same thing at the same time: one gets it, the other is told, and nothing breaks."""

import asyncio
import os
import subprocess
from collections.abc import Iterator

import pytest

from world.appliance import Appliance, without_pebble
from world.conversation import under_fire
from world.people import Account, register
from world.ports import free_block
from world.waiting import until


@pytest.fixture(scope="module")
def first() -> Iterator[Appliance]:
    with without_pebble("two", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


@pytest.fixture(scope="module")
def people(first: Appliance) -> tuple[Account, Account]:
    both = first.account("ann", "correct horse battery"), first.account("ben", "staple battery horse")
    for account in both:
        asyncio.run(register(account, first.invite()["token"]))
    return both


def _pids(appliance: Appliance) -> dict[str, int]:
    return {service["name"]: service["pid"] for service in appliance.status()["services"]}


def test_a_second_up_is_refused_with_the_pid_of_the_first(first: Appliance, people: tuple[Account, Account]) -> None:
    assert first.process is not None
    before, files = _pids(first), _contents(first)
    with under_fire(*people):
        for ports in (first.ports.first, free_block()):
            answer = first.snikket("up", "--ports-from", str(ports), "--set", "SNIKKET_CERTIFICATE=internal")
            assert answer.returncode == 1 and answer.stdout == "", answer
            assert "snikket: error: it is running already" in answer.stderr
            assert str(first.process.pid) in answer.stderr and str(first.state) in answer.stderr, answer.stderr
            assert "snikket: try: " in answer.stderr
    assert _pids(first) == before and _contents(first) == files
    first.healthy()


def _contents(appliance: Appliance) -> dict[str, bytes]:
    """The files that a start makes."""
    folders = [appliance.state / name for name in ("run", "secrets", "accepted", "certificates")]
    return {
        str(path): path.read_bytes() for folder in folders for path in sorted(folder.rglob("*"))
        if path.is_file() and "/work/" not in str(path) and ".new-" not in path.name}


def test_two_that_start_in_the_same_moment_are_one_afterwards() -> None:
    with without_pebble("race", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.start()
        others = [
            appliance._popen([
                "up", "--config", str(appliance.config), "--state", str(appliance.state), "--ports-from", str(appliance.ports.first),
                "--set", "SNIKKET_CERTIFICATE=internal"], errors_apart=True)
            for _ in range(3)]
        contenders = [appliance.process, *others]
        try:
            # All but one end by themselves, whichever it is.
            left = [process for process in contenders if _ended(process) is None]
            assert len(left) == 1, [process.poll() for process in contenders]
            appliance.healthy(60)
            assert [process.poll() for process in contenders if process is not left[0]] == [1, 1, 1]
        finally:
            for process in others:
                process.terminate()
                process.communicate(timeout=30)


def _ended(process: "subprocess.Popen[str]") -> int | None:
    try:
        return process.wait(8)
    except subprocess.TimeoutExpired:
        return None


def test_a_certificate_that_is_issued_by_hand_beside_a_running_up_changes_nothing(first: Appliance) -> None:
    serial, before = first.status()["certificate"]["serial"], _pids(first)
    answer = first.snikket("certificate", "issue", "--set", "SNIKKET_CERTIFICATE=internal", "--ports-from", str(first.ports.first))
    assert answer.returncode != 0 and "snikket: error: " in answer.stderr and "snikket: try: " in answer.stderr, answer
    status = first.healthy()
    assert status["certificate"]["serial"] == serial and _pids(first) == before


def test_of_reloads_at_once_one_is_done_and_the_others_are_told(first: Appliance, people: tuple[Account, Account]) -> None:
    text = first.config.read_text()
    first.config.write_text(text + "SNIKKET_SITE_NAME=Both\n")
    common = ["reload", "--json", "--config", str(first.config), "--state", str(first.state)]
    with under_fire(*people):
        reloads = [first._popen(common, errors_apart=True) for _ in range(5)]
        answers = [(process, *process.communicate(timeout=90)) for process in reloads]
        codes = [process.returncode for process, _, _ in answers]
        assert 0 in codes and set(codes) <= {0, 75}, answers
        for process, _, error in answers:
            if process.returncode == 75:
                assert "snikket: error: another reload is under way" in error and "snikket: try: " in error
    assert first.healthy()["settings_changed"] is False
    assert "Both" in (first.state / "run/portal/portal.json").read_text()
    until(lambda: not [path for path in first.state.rglob("*") if ".new-" in path.name], 10, "every new file is in its place")
    os.kill(first.process.pid, 0)  # type: ignore[union-attr]
