"""Kill -9 of `snikket-certs` at work: said in words, tried again, and no server is touched by it."""

import os
import signal
from concurrent.futures import Future
from dataclasses import dataclass

import pytest

from world.appliance import Appliance, with_pebble
from world.challenges import renewed, served_serial
from world.harm import zombies
from world.processes import Process
from world.service_watch import assert_untouched, services
from world.waiting import until


def _at_work(appliance: Appliance) -> list[Process]:
    return [process for process in appliance.processes() if "snikket-certs issue" in process.command]


@dataclass(frozen=True)
class FirstCertificate:
    # The step at which it is killed.
    name: str

    def run(self) -> None:
        _killed_during_the_first(self.name)


def _killed_during_the_first(step: str) -> None:
    with with_pebble("certs-killed") as (appliance, authority):
        # The program waits for the authority, or both for the authority's name server.
        halted = authority.processes[-1 if step == "directory" else 0].pid
        os.kill(halted, signal.SIGSTOP)
        try:
            appliance.start()
            appliance.line(f"snikket: certificate: {step}", 60)
            os.kill(until(lambda: _at_work(appliance), 10, "snikket-certs is at work")[0].pid, signal.SIGKILL)
        finally:
            os.kill(halted, signal.SIGCONT)
        appliance.line("snikket: error: snikket-certs was ended in the middle of its work", 20)
        appliance.line("ready ", 200)
        appliance.healthy()
        assert appliance.process is not None
        assert zombies(appliance.process.pid) == []


@pytest.mark.parametrize("case", [FirstCertificate("directory"), FirstCertificate("validation")], ids=lambda case: case.name)
def test_killed_while_it_gets_the_first_certificate_it_is_tried_again(
        played: dict[FirstCertificate, "Future[None]"], case: FirstCertificate) -> None:
    # A minute passes before another attempt: it does so beside other tests.
    played[case].result()


def test_killed_while_it_renews_the_certificate_in_force_stays() -> None:
    with with_pebble("renewal-killed") as (appliance, _):
        appliance.started()
        serial, before = appliance.healthy()["certificate"]["serial"], services(appliance)
        command = appliance._popen(
            ["certificate", "renew", "--config", str(appliance.config), "--state", str(appliance.state)], errors_apart=True)
        os.kill(until(lambda: _at_work(appliance), 30, "snikket-certs is at work")[0].pid, signal.SIGKILL)
        _, error = command.communicate(timeout=60)
        assert command.returncode != 0 and "snikket: error:" in error, error
        assert served_serial(appliance) == int(serial, 16)
        assert_untouched(appliance, before)
        assert appliance.process is not None
        assert zombies(appliance.process.pid) == []
        # Nothing that the killed one left is in the way of the next.
        renewed(appliance)
