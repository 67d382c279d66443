"""`snikket check` beside a running appliance, and what it offers when the settings have changed."""

import json
import os
import pty
import re
from collections.abc import Iterator

import pytest

from world.appliance import CONFIGURATION, installation, scratch
from world.checking import Server
from world.internet import GOOD_ZONE, Internet
from world.waiting import until

GOOD = CONFIGURATION + "SNIKKET_CERTIFICATE=internal\n"


class Running(Server):
    """The server, with `snikket up` on its usual ports."""

    def start(self) -> None:
        self.config.write_text(GOOD)
        log = self.folder / "up.log"
        self.process = self.internet.started_on_server(
            str(installation() / "bin/snikket"), "up", "--config", str(self.config), "--state", str(self.folder / "state"), output=log)
        until(lambda: "\nready https://" in log.read_text() or self.process.poll() is not None, 60, "it is ready")
        assert self.process.poll() is None, log.read_text()

    def is_changed(self) -> bool:
        return self.status()["settings_changed"]

    def status(self) -> dict:
        return json.loads(self.snikket("status", "--json").stdout)

    def at_a_terminal(self, answer: str) -> str:
        """What a person sees who answers so."""
        pid, terminal = pty.fork()
        if pid == 0:
            command = self.command("check")
            os.execvp(command[0], command)
        shown = b""
        try:
            os.write(terminal, answer.encode() + b"\n")
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:
            pass  # the end of a terminal
        finally:
            os.close(terminal)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, shown
        return shown.decode()


@pytest.fixture(scope="module")
def machine(users: dict[str, int]) -> Iterator[Running]:
    with scratch("check-up") as folder, Internet(folder) as internet:
        internet.publish(GOOD_ZONE)
        running = Running(folder, internet)
        running.start()
        yield running
        internet.end(running.process)


@pytest.fixture
def running(machine: Running) -> Iterator[Running]:
    """With the settings that it was started with, in force."""
    yield machine
    machine.internet.publish(GOOD_ZONE)
    machine.config.write_text(GOOD)
    assert machine.snikket("reload").returncode == 0


def _pids(running: Running) -> dict[str, int]:
    return {service["name"]: service["pid"] for service in running.status()["services"]}


def test_its_own_servers_are_nobody_elses(running: Running) -> None:
    assert running.not_green() == []
    what = {check["name"]: check["what"] for check in running.checks()}
    assert "in force" in what["settings"] and "own" in what["ports"] and "days left" in what["certificate"]
    assert re.search(r"203\.0\.113\.5 and 2001:db8:5::5 answer on 80, 443, 3478, 5000, 5222, 5223, 5269, 5270 and 5349", what["reachable"])


def test_changed_settings_are_seen_and_left_alone_without_a_terminal(running: Running) -> None:
    running.config.write_text(GOOD + "SNIKKET_TOS_URI=https://example.org/terms\n")
    for arguments in ((), ("--no-reload",)):
        [found] = running.not_green(*arguments)
        assert (found["name"], found["level"], found["try"]) == ("settings", "yellow", "sudo snikket reload")
        assert running.check(*arguments).returncode == 0
    assert running.is_changed()


def test_reload_shows_what_changes_and_puts_it_into_force(running: Running) -> None:
    before = _pids(running)
    running.config.write_text(GOOD + "SNIKKET_TOS_URI=https://example.org/terms\n")
    answer = running.check("--reload")
    assert answer.returncode == 0, answer.stderr
    assert "SNIKKET_TOS_URI" in answer.stdout and "https://example.org/terms" in answer.stdout
    assert answer.stdout.splitlines()[-1].startswith("in force, with ")
    assert not running.is_changed()
    after = _pids(running)
    assert after["coturn"] == before["coturn"] and after["portal"] != before["portal"]
    assert running.not_green() == []


def test_a_script_gets_what_the_reload_did(running: Running) -> None:
    running.config.write_text(GOOD + "SNIKKET_TOS_URI=https://example.org/terms\n")
    report = json.loads(running.check("--json", "--reload").stdout)
    assert set(report) == {"verdict", "checks", "reload"}
    assert report["reload"]["options"] == ["SNIKKET_TOS_URI"] and "portal" in report["reload"]["services"]
    assert not running.is_changed()


def test_a_person_is_asked_and_a_no_is_a_no(running: Running) -> None:
    running.config.write_text(GOOD + "SNIKKET_TOS_URI=https://example.org/terms\n")
    shown = running.at_a_terminal("no")
    assert "https://example.org/terms" in shown and "Put them into force now?" in shown
    assert shown.index("https://example.org/terms") < shown.index("Put them into force now?")
    assert running.is_changed()
    shown = running.at_a_terminal("yes")
    assert "in force, with " in shown
    assert not running.is_changed()


def test_what_is_refused_changes_nothing_and_is_told(running: Running) -> None:
    before = _pids(running)
    running.config.write_text(GOOD + "SNIKKET_FEDERATION=off\nSNIKKET_SITE_NAME=Ours\n")
    answer = running.check("--reload")
    assert answer.returncode == 1 and "SNIKKET_FEDERATION" in answer.stderr and "restart" in answer.stderr
    assert running.is_changed() and _pids(running) == before
    answer = running.check("--reload", "--json")
    assert answer.returncode == 1 and "SNIKKET_FEDERATION" in answer.stderr
    assert set(json.loads(answer.stdout)) == {"verdict", "checks"}


def test_nothing_is_put_into_force_in_a_world_that_is_wrong(running: Running) -> None:
    running.config.write_text(GOOD + "SNIKKET_SITE_NAME=Ours\n")
    running.internet.publish(GOOD_ZONE.replace("A 203.0.113.5", "A 198.51.100.9"))
    answer = running.check("--reload")
    assert answer.returncode == 1 and "in force, with" not in answer.stdout
    assert running.is_changed()


def test_settings_that_are_wrong_leave_the_running_ones_in_force(running: Running) -> None:
    running.config.write_text(GOOD + "SNIKKET_RETENTION_DAYS=soon\n")
    answer = running.check("--reload")
    assert answer.returncode == 78 and "line 4: SNIKKET_RETENTION_DAYS" in answer.stderr
    assert running.status()["healthy"]
