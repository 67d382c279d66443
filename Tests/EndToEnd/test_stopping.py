"""The end: in order when asked to, and complete even when `snikket up` itself is killed."""

import signal
import socket

from world.appliance import Appliance, without_pebble
from world.ports import free
from world.waiting import until

INTERNAL = {"SNIKKET_CERTIFICATE": "internal"}


def _everything_is_gone(appliance: Appliance) -> None:
    until(lambda: not appliance.processes(), 15, "no process is left")
    ports = appliance.ports
    for port in (ports.http, ports.https, ports.client, ports.client_tls, ports.server, ports.turn, ports.internal):
        until(lambda: free(port), 10, f"port {port} is free again")


def test_sigterm_ends_everything_and_a_second_start_needs_no_certificate() -> None:
    with without_pebble("stopping", settings=INTERNAL) as appliance:
        appliance.started()
        assert len(appliance.processes()) >= 5
        serial = appliance.status()["certificate"]["serial"]
        assert appliance.stop() == 0
        _everything_is_gone(appliance)
        # Whether somebody keeps this machine's clock right is another matter.
        assert "snikket: error" not in appliance.said.replace("snikket: error: this machine's clock", "")
        appliance.started()
        assert appliance.healthy()["certificate"]["serial"] == serial
        assert appliance.stop() == 0
        _everything_is_gone(appliance)


def test_sigint_is_as_good_as_sigterm() -> None:
    with without_pebble("interrupted", settings=INTERNAL) as appliance:
        appliance.started()
        assert appliance.process is not None
        appliance.process.send_signal(signal.SIGINT)
        assert appliance.process.wait(30) in (0, 130)
        _everything_is_gone(appliance)


def test_kill_9_of_snikket_up_leaves_nothing_and_it_starts_again() -> None:
    with without_pebble("killed", settings=INTERNAL) as appliance:
        appliance.started()
        assert appliance.process is not None
        process, appliance.process = appliance.process, None
        process.kill()
        process.wait(10)
        _everything_is_gone(appliance)
        appliance.started()
        appliance.healthy()


def test_sigterm_while_still_starting_leaves_nothing() -> None:
    with without_pebble("early", settings=INTERNAL) as appliance:
        appliance.start()
        until(lambda: len(appliance.processes()) > 1, 30, "the first server runs")
        appliance.stop()
        _everything_is_gone(appliance)


def test_kill_9_while_the_certificate_is_being_got_leaves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as authority:  # takes connections, and never says a word
        directory = f"https://127.0.0.1:{authority.getsockname()[1]}/dir"
        with without_pebble("early-kill", settings={"SNIKKET_ACME_DIRECTORY": directory}) as appliance:
            appliance.start()
            authority.settimeout(30)
            connection, _ = authority.accept()
            with connection:
                assert any("snikket-certs" in process.command for process in appliance.processes())
                assert appliance.process is not None
                process, appliance.process = appliance.process, None
                process.kill()
                process.wait(10)
                _everything_is_gone(appliance)


def test_a_stopped_appliance_says_so() -> None:
    with without_pebble("stopped", settings=INTERNAL) as appliance:
        answer = appliance.snikket("status", "--json")
        assert answer.returncode in (1, 75)
        assert "Traceback" not in answer.stderr and "snikket: error:" in answer.stderr
