"""Metrics: what Prometheus reads of an appliance, what the dashboard and the alert rules ask for, and what all of it costs."""

import asyncio
import json
import os
import re
import select
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from world.appliance import CHECKOUT, Appliance, without_pebble
from world.people import logged_in, register
from world.prometheus import Prometheus, prometheus
from world.waiting import until

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
MONITORING = CHECKOUT / "templates/monitoring"


@pytest.fixture(scope="module")
def measured() -> Iterator[Appliance]:
    """An appliance that offers metrics on loopback."""
    with without_pebble("metrics", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.settings["SNIKKET_METRICS_LISTEN"] = f"127.0.0.1:{port(appliance)}"
        appliance.started()
        appliance.healthy()
        yield appliance


@pytest.fixture(scope="module")
def scraping(measured: Appliance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("monitoring") / "prometheus", f"127.0.0.1:{port(measured)}", MONITORING / "alerts.yml") as server:
        # What is counted has a rate from the second scrape on.
        until(lambda: (server.number("min(count_over_time(snikket_probe_success[1m]))") or 0) >= 3, 60, "Prometheus has scraped every family")
        yield server


def port(appliance: Appliance) -> int:
    # The first behind the appliance's own.
    return appliance.ports.first + 10


def scrape(appliance: Appliance, accept: str | None = None, path: str = "/metrics") -> tuple[str, str]:
    """The text, and the kind that it is said to be."""
    request = urllib.request.Request(f"http://127.0.0.1:{port(appliance)}{path}", headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


def value(appliance: Appliance, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(scrape(appliance)[0]):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def names(text: str) -> set[str]:
    return {re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)[0] for line in text.splitlines() if line and not line.startswith("#")}


def steady(text: str) -> set[str]:
    """The names that are there from the beginning: the others come with the first answer to a probe, the first message..."""
    return {name for name in names(text) if not name.startswith(("snikket_probe", "prosody_mod"))}


def test_a_strict_reader_of_openmetrics_takes_it(measured: Appliance) -> None:
    text, kind = scrape(measured)
    assert kind == OPENMETRICS
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name, kind in {
            "snikket_build": "info", "snikket_healthy": "gauge", "snikket_service_up": "gauge", "snikket_service_state": "stateset",
            "snikket_service_restarts": "counter", "snikket_service_memory_bytes": "gauge", "snikket_disk_free_bytes": "gauge",
            "snikket_certificate_not_after_timestamp_seconds": "gauge", "process_resident_memory_bytes": "gauge",
            "prosody_users_online": "gauge", "prosody_messages": "counter", "prosody_mod_smacks__resumption_age_seconds": "histogram"}.items():
        assert families[name].type == kind, name
        assert families[name].documentation
    assert {sample.labels["service"] for sample in families["snikket_service_up"].samples} == {"prosody", "nginx", "coturn", "portal"}
    assert all(sample.value == 1 for sample in families["snikket_service_up"].samples)
    assert all(sample.value > 1e6 for sample in families["snikket_service_memory_bytes"].samples)
    version = families["snikket_build"].samples[0].labels
    assert version["version"] == measured.status()["version"] and version["prosody"].startswith("13.")
    assert len(text) < 200_000


def test_promtool_finds_nothing_wrong_with_the_older_form(measured: Appliance) -> None:
    text, kind = scrape(measured, "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    assert kind == PLAIN
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert steady(text) == steady(scrape(measured)[0])


def test_the_control_socket_tells_the_same_to_curl(measured: Appliance) -> None:
    control = measured.state / "run/control/socket"
    answer = subprocess.run(
        ["curl", "--silent", "--include", "--unix-socket", str(control), "http://snikket/metrics"], capture_output=True, text=True, check=True)
    head, _, text = answer.stdout.partition("\n\n")
    assert f"content-type: {OPENMETRICS}" in head
    assert steady(text) == steady(scrape(measured)[0])


def test_prometheus_scrapes_it(scraping: Prometheus) -> None:
    until(lambda: scraping.number("up") == scraping.number("snikket_healthy") == 1, 20, "it is scraped, and healthy")
    # After a scrape that came too late, on a busy machine, nothing is known until the next.
    until(lambda: scraping.number('snikket_service_up{service="prosody"}') == 1, 15, "Prosody is up")
    until(lambda: scraping.number("snikket_certificate_not_after_timestamp_seconds > time()") is not None, 15, "the certificate is good")
    target = until(lambda: next((one for one in scraping.ask("targets")["activeTargets"] if one["health"] == "up"), None), 15, "the target is up")
    assert target["lastError"] == ""
    described = scraping.ask("targets/metadata", metric="snikket_disk_free_bytes")
    assert (described[0]["type"], described[0]["unit"]) == ("gauge", "bytes")


def test_the_answers_of_the_probes_are_measured(measured: Appliance) -> None:
    until(lambda: value(measured, "snikket_probe_checks_total", service="prosody", probe="c2s"), 60, "Prosody was asked")
    assert value(measured, "snikket_probe_success", service="prosody", probe="c2s") == 1
    assert 0 < value(measured, "snikket_probe_latency_seconds", service="prosody", probe="c2s") < 5
    assert value(measured, "snikket_probe_failures_total", service="prosody", probe="c2s") == 0


def test_people_and_messages_are_counted(measured: Appliance) -> None:
    carol, dave = measured.account("carol", "correct horse battery"), measured.account("dave", "staple battery horse")

    async def talk() -> None:
        for account in (carol, dave):
            await register(account, measured.invite()["token"])
        async with logged_in(carol) as a, logged_in(dave) as b:
            a.send_message(mto=dave.address, mbody="counted", mtype="chat")
            await b.next_message()
            assert await asyncio.to_thread(value, measured, "prosody_users_online") == 2
            assert await asyncio.to_thread(value, measured, "prosody_client_sessions", state="connected") == 2

    before = value(measured, "prosody_messages_total", direction="sent")
    asyncio.run(talk())
    assert value(measured, "prosody_messages_total", direction="sent") == before + 1
    until(lambda: value(measured, "prosody_client_sessions", state="connected") == 0, 20, "both have gone")


def test_a_server_that_was_killed_is_seen_to_be_started_again(measured: Appliance) -> None:
    before = value(measured, "snikket_service_restarts_total", service="portal")
    os.kill(measured.service("portal")["pid"], signal.SIGKILL)
    until(lambda: value(measured, "snikket_service_restarts_total", service="portal") == before + 1, 20, "the restart is counted")
    until(lambda: value(measured, "snikket_service_up", service="portal") == 1, 20, "the portal is back")
    measured.healthy()


def test_a_chat_server_that_hangs_does_not_hold_up_the_rest(measured: Appliance) -> None:
    pid = measured.service("prosody")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        text, _ = scrape(measured)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert "snikket_chat_statistics_available 0\n" in text
    assert 'snikket_service_memory_bytes{service="prosody"}' in text
    assert "prosody_users_online" not in names(text)
    until(lambda: value(measured, "snikket_chat_statistics_available") == 1, 60, "Prosody tells again")
    measured.healthy(60)


def test_there_is_nothing_else_at_that_port(measured: Appliance) -> None:
    for path in ("/", "/status", "/metrics/", "/certificate/renew"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            scrape(measured, path=path)
        assert refused.value.code == 404
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port(measured)}/metrics", method="POST", data=b"{}"), timeout=10)


def test_more_connections_than_anybody_needs_are_closed_and_scraping_goes_on(measured: Appliance) -> None:
    pid = measured.process.pid
    before = len(os.listdir(f"/proc/{pid}/fd"))
    with ExitStack() as held:
        connections = [held.enter_context(socket.create_connection(("127.0.0.1", port(measured)), timeout=10)) for _ in range(60)]
        until(lambda: len([one for one in connections if readable(one)]) >= 60 - 16, 10, "all but sixteen are closed")
        until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before + 17, 10, "no more are open than are served")
    until(lambda: "snikket_healthy 1" in scrape(measured)[0], 10, "it is scraped again")


def readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


def test_without_the_setting_nothing_listens(appliance: Appliance) -> None:
    assert listening(appliance.process.pid) == set()


def test_with_it_one_port_on_loopback_does(measured: Appliance) -> None:
    assert listening(measured.process.pid) == {f"0100007F:{port(measured):04X}"}


def test_an_address_that_the_internet_reaches_is_refused(tmp_path: Path) -> None:
    with without_pebble("public", settings={"SNIKKET_CERTIFICATE": "internal", "SNIKKET_METRICS_LISTEN": "0.0.0.0:9000"}) as appliance:
        appliance.start()
        assert appliance.process.wait(20) == 78
        until(lambda: "SNIKKET_METRICS_LISTEN" in appliance.said and "private" in appliance.said, 5, "it says why")


def test_an_address_that_this_machine_does_not_have_is_told_and_everything_else_serves() -> None:
    with without_pebble("elsewhere", settings={"SNIKKET_CERTIFICATE": "internal", "SNIKKET_METRICS_LISTEN": "10.255.254.253:9000"}) as appliance:
        appliance.started()
        # The machine may have troubles of its own: a clock that nobody keeps right.
        problem = until(
            lambda: next((problem for problem in appliance.status()["problems"] if problem["matter"] == "metrics"), None), 20, "the status tells of it")
        assert "10.255.254.253:9000" in problem["error"]
        assert appliance.status()["healthy"]


def test_the_dashboard_asks_only_for_what_there_is(scraping: Prometheus, measured: Appliance) -> None:
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    assert dashboard["title"] and dashboard["schemaVersion"] >= 36
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    places = [(x, y) for panel in panels for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
              for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])]
    assert len(set(places)) == len(places) and all(x < 24 for x, _ in places), "panels lie on one another"
    known = names(scrape(measured)[0]) | {"snikket_problem"}
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    for expression in expressions:
        assert metrics_in(expression) <= known, expression
        expression = expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
        until(lambda: scraping.value(expression), 15, f"{expression} has an answer")


def test_the_alert_rules_are_sound_and_ask_only_for_what_there_is(scraping: Prometheus, measured: Appliance) -> None:
    rules = MONITORING / "alerts.yml"
    checked = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    known = names(scrape(measured)[0]) | {"snikket_problem", "up"}
    loaded = [rule for group in scraping.ask("rules")["groups"] for rule in group["rules"]]
    assert len(loaded) >= 10
    for rule in loaded:
        assert metrics_in(rule["query"]) <= known, rule["query"]
        assert rule["health"] in ("ok", "unknown"), rule
    assert [alert for alert in scraping.ask("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_every_metric_is_documented(scraping: Prometheus, measured: Appliance) -> None:
    rows = [line for line in (CHECKOUT / "docs/monitoring.md").read_text().splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([a-z_]+)", row.split("|")[1])}
    measured_names = {name for name in names(scrape(measured)[0]) if not name.startswith(("prosody_mod_", "process_", "prosody_stats_", "prosody_info"))}
    # That one is there only while something is wrong: here, if anything, the machine's clock.
    assert "snikket_problem" in documented
    assert documented - {"snikket_problem", "prosody_mod_", "process_"} == measured_names - {"snikket_problem"}


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    tested = subprocess.run(["promtool", "test", "rules", str(CHECKOUT / "Tests/Monitoring/alerts_test.yml")], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    for alert in re.findall(r"alert: (\w+)", (MONITORING / "alerts.yml").read_text()):
        cases = re.findall(rf"alertname: {alert}\n\s+exp_alerts:\n", (CHECKOUT / "Tests/Monitoring/alerts_test.yml").read_text())
        assert cases, f"no test in which {alert} fires"


def metrics_in(expression: str) -> set[str]:
    """The names in an expression that are metrics: no functions, no labels, no words of the language."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"", "", expression)
    return set(re.findall(r"\b[a-z_:][a-z0-9_:]*\b(?!\s*\()", bare)) - {"and", "or", "unless", "by", "without", "on", "ignoring", "e9"}


def listening(pid: int) -> set[str]:
    """The TCP ports that a process listens on, as the kernel writes them."""
    inodes = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{number}")))
        except FileNotFoundError:
            continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1])
    return found
