"""What is no reason to give up, what is not asked twice, and what is taken away again: `snikket-certs issue` and an authority in trouble."""

import email.utils
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import pytest

from world import faults
from world.appliance import PROGRAMS
from world.faults import changed, each_first, first, problem
from world.issuing import Bench, Run, bench, public_key
from world.misbehaviour import STEPS, Fault, MisbehavingAuthority
from world.parallel import beside_each_other
from world.programs import put_program
from world.waiting import until


@dataclass
class Case:
    name: str
    step: str
    fault: Fault

    def run(self, bench: Bench) -> Run:
        return bench.issue({self.step: self.fault})


ONE_AFTER_THE_OTHER = {
    "500": problem(500, "serverInternal", "oh no"), "503 of a gateway": problem(503), "503 and Retry-After: 1": problem(503, None, "", ("Retry-After", "1")),
    "429 and Retry-After: 1": problem(429, "rateLimited", "slowly", ("Retry-After", "1")), "a reset connection": faults.reset,
    "no answer": faults.hang, "an answer that is cut off": faults.cut_off, "an answer that is lost on its way": faults.lost_answer}
CASES = [Case(f"{name}, twice, at {step}", step, each_first(2, fault)) for step in STEPS for name, fault in ONE_AFTER_THE_OTHER.items()]
CASES += [Case(f"{name}, twice, at {step}", step, each_first(2, fault)) for step in STEPS if step != "newNonce"
          for name, fault in {"a truncated document": faults.truncated, "a web page": faults.page}.items()]
CASES += [Case(f"{name} each time, at finalize: the order says how far it is", "finalize", fault)
          for name, fault in {"a truncated document": faults.truncated, "the wrong content type": faults.wrong_type}.items()]
CASES.append(Case("a nonce that is refused twenty times", "newOrder", first(20, problem(400, "badNonce", "old", ("Replay-Nonce", "bm9uY2U")))))

@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench(PEBBLE_WFE_NONCEREJECT="0") as made:
        yield made


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, place: Bench) -> Iterator[dict[str, "Future[Run]"]]:
    with beside_each_other(request, "case", lambda case: case.run(place)) as under_way:
        yield under_way


def good(run: Run) -> None:
    """A new certificate is in place, with its key and all names, and nothing is left in the web root."""
    assert run.code == 0, (run.lines[-1:], run.said)
    assert run.pair_after != run.pair_before
    output = run.folder / "output"
    assert public_key(output / "fullchain.pem", "x509") == public_key(output / "privkey.pem", "pkey")
    assert run.events[-1]["event"] == "issued" and len(run.events[-1]["record"]["names"]) == 3
    assert run.left_in_webroot == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_ridden_out(case: Case, runs: dict[str, "Future[Run]"]) -> None:
    good(runs[case.name].result())


# A time to come back is obeyed.

@dataclass
class Pause:
    """The step asks once for a pause: so many seconds, or a date."""

    name: str
    step: str
    value: Callable[[], str]

    def run(self, bench: Bench) -> tuple[Run, dict[str, float]]:
        told: dict[str, float] = {}

        def ask_for_a_pause(exchange) -> None:
            # A date names whole seconds, so three may be a little more than two from now.
            told[exchange.path] = time.monotonic() + 1.95
            problem(503, None, "", ("Retry-After", self.value()))(exchange)

        return bench.issue({self.step: each_first(1, ask_for_a_pause)}), told


PAUSES = [Pause(f"{name}, at {step}", step, value) for step in STEPS for name, value in {
    "two seconds": lambda: "2", "a date": lambda: email.utils.formatdate(time.time() + 3, usegmt=True)}.items()]


@pytest.fixture(scope="module")
def pauses(request: pytest.FixtureRequest, place: Bench) -> "Iterator[dict[str, Future[tuple[Run, dict[str, float]]]]]":
    with beside_each_other(request, "pause", lambda pause: pause.run(place)) as under_way:
        yield under_way


@pytest.mark.parametrize("pause", PAUSES, ids=lambda pause: pause.name)
def test_nobody_asks_before_the_time_that_was_named(pause: Pause, pauses: "dict[str, Future[tuple[Run, dict[str, float]]]]") -> None:
    run, told = pauses[pause.name].result()
    good(run)
    assert told
    for path, moment in told.items():
        times = [asked.at for asked in run.proxy.of(pause.step) if asked.path == path]
        # Nonces have one address for all: those that were asked for together are no disobedience.
        again = [at for at in times[1:] if pause.step != "newNonce" or at > times[0] + 0.1]
        assert again and min(again) >= moment, "asked too early"


def test_the_order_is_looked_at_when_the_authority_said(place: Bench) -> None:
    def later(exchange) -> None:
        answer = exchange.forward()
        if exchange.number == 0:
            answer = answer.with_json(lambda order: order.update(status="pending")).changed(retry_after="2")
        exchange.reply(answer)

    run = place.issue({"order": later})
    good(run)
    assert run.gaps("order")[0] >= 2


# One certificate with all names, or none.

def test_a_name_that_fails_is_named_and_asked_for_once_and_nothing_is_installed(place: Bench) -> None:
    wrong = "share.nowhere.example.org"  # nginx knows no such name, and answers with 404
    run = place.issue({}, names=lambda own: [*own[:2], wrong])
    assert run.code == 1
    assert run.failure["kind"] == "validation"
    assert wrong in run.failure["error"] and "groups." not in run.failure["error"]
    assert run.pair_after == run.pair_before and run.left_in_webroot == []
    assert len(run.proxy.of("newOrder")) == 1, "the order was repeated"
    assert len(run.proxy.of("challenge")) == 3 and not run.proxy.of("finalize"), "a validation was repeated"


def test_what_follows_a_chain_and_does_not_belong_to_it_is_not_stored(place: Bench) -> None:
    run = place.issue({"certificate": changed(lambda answer: answer.changed(body=b"".join([answer.body.replace(b"\n\n", b"\n")] * 10)))})
    good(run)
    stored = (run.folder / "output/fullchain.pem").read_text()
    assert stored.count("BEGIN CERTIFICATE") == 2 and len(run.proxy.of("certificate")) == 1


# Nothing is left behind.

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_takes_its_answers_away(number: signal.Signals, place: Bench, tmp_path: Path) -> None:
    www = tmp_path / "www"
    with MisbehavingAuthority(place.authority, {"order": faults.hang}) as proxy:
        process = subprocess.Popen(
            [str(PROGRAMS / "snikket-certs"), "issue", "--directory", proxy.directory, "--ca-bundle", str(place.authority.bundle), "--name", "a.example.org",
             "--webroot", str(www), "--state", str(tmp_path / "state"), "--output", str(tmp_path / "output")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: proxy.of("order"), 20, "the answers are in place")
        answers = [path for path in www.rglob("*") if path.is_file()]
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert answers and not any(path.exists() for path in answers)
    assert process.returncode == 1 and "interrupted" in said


@pytest.mark.parametrize("step", ["challenge", "order"])
def test_a_hook_program_is_asked_to_take_its_record_away(step: str, place: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    hook = put_program(tmp_path / "hook", f'#!/bin/sh\necho "$@" >> {log}\n')
    run = place.issue({step: problem(403, "unauthorized", "no")}, webroot=False, more=["--dns-hook", str(hook)])
    assert run.code == 1
    calls = [line.split() for line in log.read_text().splitlines()]
    present, remove = ([call[1:] for call in calls if call[0] == verb] for verb in ("present", "remove"))
    assert len(present) == 3 and sorted(present) == sorted(remove)


