"""What would make a person say that the chat is broken is noticed, named and healed, though every process is there."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from world.appliance import Appliance, installation, without_pebble
from world.conversation import Conversation
from world.lua import Inside
from world.service_watch import checks
from world.stage import peopled
from world.waiting import until

# A look every minute, two more soon after a bad one, and the next liveness check.
NOTICED = 110
# What the project promises for a server that hangs.
REPLACED = 30


@pytest.fixture(scope="module")
def watched() -> Iterator[Appliance]:
    with without_pebble("probes", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


@pytest.fixture(scope="module")
def inside(watched: Appliance) -> Inside:
    return Inside(watched)


def _restarts(appliance: Appliance) -> dict[str, int]:
    return {service["name"]: service["restarts"] for service in appliance.status()["services"]}


def _replaced(appliance: Appliance, before: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The service once another process of it serves."""
    def successor() -> dict[str, Any] | None:
        service = appliance.service(before["name"])
        return service if service["pid"] not in (None, before["pid"]) and service["state"] == "ready" else None

    found = until(successor, seconds, f"{before['name']} is replaced")
    assert found is not None
    return found


def _matter(appliance: Appliance, name: str) -> bool:
    return any(problem["matter"] == name for problem in appliance.status()["problems"])


def _children(pid: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("name", ["prosody", "nginx", "coturn", "portal"])
def test_a_halted_server_is_replaced(watched: Appliance, name: str) -> None:
    before = watched.service(name)
    os.kill(before["pid"], signal.SIGSTOP)
    after = _replaced(watched, before, REPLACED)
    assert "its process is halted" in after["last_problem"]


def test_a_halted_worker_is_replaced_with_its_master(watched: Appliance) -> None:
    before = watched.service("nginx")
    for worker in _children(before["pid"]):
        os.kill(worker, signal.SIGSTOP)
    after = _replaced(watched, before, REPLACED)
    assert "no answer in time" in after["last_problem"]
    assert watched.get("/").status == 200


def test_a_prosody_that_never_returns_to_its_main_loop_is_replaced(watched: Appliance, inside: Inside) -> None:
    before = watched.service("prosody")
    inside.hang()
    after = _replaced(watched, before, REPLACED)
    assert "c2s: no answer in time" in after["last_problem"] or "api: " in after["last_problem"]


def test_a_prosody_that_lets_nobody_log_in_is_noticed_named_and_healed(watched: Appliance, inside: Inside) -> None:
    before = watched.service("prosody")
    others = {name: count for name, count in _restarts(watched).items() if name != "prosody"}
    inside.unload((watched.domain, "saslauth"), (watched.domain, "sasl2"))
    after = _replaced(watched, before, NOTICED)
    assert "c2s_sasl: " in after["last_problem"] and "c2s_tls: " in after["last_problem"]
    assert {name: count for name, count in _restarts(watched).items() if name != "prosody"} == others
    with watched.open_stream() as stream:
        stream.open()
        stream.start_tls()
        assert "SCRAM-SHA-256" in stream.mechanisms


def test_uploads_that_would_be_lost_are_noticed_and_the_one_to_blame_is_healed(watched: Appliance, inside: Inside) -> None:
    before = watched.service("prosody")
    nginx = watched.service("nginx")["restarts"]
    inside.unload((f"share.{watched.domain}", "http_file_share"))
    after = _replaced(watched, before, NOTICED)
    assert "upload: it answered with the HTTP status 404" in after["last_problem"]
    assert watched.service("nginx")["restarts"] == nginx, "nginx only hands it on"


def test_a_turn_server_with_another_secret_is_noticed_and_not_restarted_for_ever(watched: Appliance) -> None:
    configuration = watched.state / "run/coturn/turnserver.conf"
    right = configuration.read_text()
    configuration.write_text(right.replace("static-auth-secret=", "static-auth-secret=another"))
    try:
        before = watched.service("coturn")
        os.kill(before["pid"], signal.SIGKILL)
        wrong = _replaced(watched, before, REPLACED)
        # A restart is tried, and does not help; then it goes on, and is said not to be well.
        again = _replaced(watched, wrong, NOTICED)
        assert "turn_allocation: it does not take the credentials" in again["last_problem"]

        def impaired() -> dict[str, Any] | None:
            service = watched.service("coturn")
            return service if service["state"] == "unhealthy" and service["last_problem"].startswith("does not serve all") else None

        lasting = until(impaired, NOTICED, "it is shown as unhealthy")
        assert lasting is not None and lasting["pid"] == again["pid"]
        assert not watched.status()["healthy"]
    finally:
        configuration.write_text(right)
    os.kill(watched.service("coturn")["pid"], signal.SIGKILL)
    watched.healthy()


def test_a_wrong_certificate_is_noticed_and_put_right(watched: Appliance) -> None:
    tls = watched.state / "run/nginx/tls"
    files = {name: (tls / name).resolve() for name in ("fullchain.pem", "privkey.pem")}
    right = {name: file.read_bytes() for name, file in files.items()}
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3", "-subj",
                    f"/CN={watched.domain}", "-addext", f"subjectAltName=DNS:{watched.domain}", "-keyout", str(files["privkey.pem"]),
                    "-out", str(files["fullchain.pem"])], check=True, capture_output=True)
    serial = watched.healthy()["certificate"]["serial"]
    before = watched.service("nginx")
    os.kill(before["pid"], signal.SIGHUP)
    until(lambda: watched.status()["certificate"]["served"]["https"] != serial, NOTICED, "it is noticed")
    assert not watched.status()["healthy"]
    for name, content in right.items():
        files[name].write_bytes(content)
    until(lambda: watched.status()["certificate"]["served"]["https"] == serial, NOTICED, "the right one is served again")
    assert "nginx still serves another certificate" in watched.said
    assert watched.service("nginx")["pid"] != before["pid"]
    watched.healthy()


def test_when_nobody_can_look_nobody_is_to_blame(watched: Appliance) -> None:
    before = _restarts(watched)
    program = installation() / "bin/snikket-certs"
    hidden = program.with_name("snikket-certs.hidden")
    program.rename(hidden)
    try:
        until(lambda: "what is served cannot be looked at" in watched.said, NOTICED, "it is said")
        until(lambda: _matter(watched, "look"), 20, "the status tells of it")
    finally:
        hidden.rename(program)
    until(lambda: "what is served can be looked at again" in watched.said, NOTICED, "it is over")
    until(lambda: not _matter(watched, "look"), 20, "and the status tells of it no more")
    assert _restarts(watched) == before
    watched.healthy()


def test_an_appliance_that_was_halted_for_a_minute_restarts_nobody(watched: Appliance) -> None:
    conversation = Conversation(*peopled(watched)[1:], pause=0.5)
    conversation.start()
    watched.healthy()
    before, asked = _restarts(watched), checks(watched)
    assert watched.process is not None
    os.kill(watched.process.pid, signal.SIGSTOP)
    try:
        conversation.goes_on_for(60)
    finally:
        os.kill(watched.process.pid, signal.SIGCONT)

    def all_asked_again() -> bool:
        now = checks(watched)
        return all(now[probe] > count for probe, count in asked.items())

    until(all_asked_again, NOTICED, "every probe has asked again")
    assert _restarts(watched) == before
    watched.healthy()
    conversation.end()
    assert conversation.sessions == 1
    conversation.assert_nothing_is_lost()


def test_parts_of_the_chat_server_that_no_app_needs_to_log_in_are_missed_too() -> None:
    # Of its own: a server that was started again twice already is given five minutes before the third time.
    with without_pebble("parts", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        assert "xmpp_server_tls" in appliance.started().healthy()["certificate"]["served"]
        inside = Inside(appliance)
        before = appliance.service("prosody")
        inside.run(f'''require "prosody.core.modulemanager".unload("groups.{appliance.domain}", "muc");
            require "prosody.core.portmanager".deactivate("s2s_direct_tls"); require "prosody.core.portmanager".deactivate("proxy65");''')
        after = _replaced(appliance, before, NOTICED)
        for part in ("s2s_tls: connection refused", "proxy65: connection refused", f"modules: not loaded: muc for groups.{appliance.domain}"):
            assert part in after["last_problem"]
        appliance.healthy()
