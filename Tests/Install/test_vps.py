"""An installation on a server, from the first command to a reboot and to its removal; the tests are its steps, in order."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine import Machine
from world.authority import Authority
from world.ports import free
from world.stream import Stream
from world.waiting import until

DOMAIN = "chat.example.org"
PORTS = {"http": 80, "https": 443, "client": 5222, "client-tls": 5223, "server": 5269, "turn": 3478}


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A Pebble on this machine, which the installed one reaches over the loopback that both share."""
    taken = {name: port for name, port in PORTS.items() if not free(port)}
    assert not taken, f"these ports of this machine are in use: {taken}"
    with tempfile.TemporaryDirectory(prefix="snikket-vps-") as folder, Authority(Path(folder), 80) as authority:
        yield authority


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@pytest.fixture(scope="module")
def installed(machine: Machine, authority: Authority) -> str:
    """What install.sh printed."""
    machine.done("mkdir", "-p", "/etc/snikket")
    machine.run("tee", "/etc/ssl/test-authority.pem", stdin=authority.bundle.read_text())
    answer = machine.install(
        DOMAIN, "admin@example.org", "--agree-tos", "--set", f"SNIKKET_ACME_DIRECTORY={authority.directory}",
        "--set", "SNIKKET_ACME_CA_BUNDLE=/etc/ssl/test-authority.pem")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{machine.journal()}"
    return answer.stdout


def status(machine: Machine) -> dict:
    return json.loads(machine.run("snikket", "status", "--json").stdout or "{}")


def test_without_consent_nothing_is_written(machine: Machine) -> None:
    answer = machine.install(DOMAIN, "admin@example.org")
    assert answer.returncode == 64, answer.stdout + answer.stderr
    assert "--agree-tos" in answer.stderr
    assert machine.run("test", "-e", "/etc/snikket/snikket.conf").returncode != 0


def test_a_wrong_domain_is_refused(machine: Machine) -> None:
    answer = machine.install("not a domain", "admin@example.org", "--agree-tos")
    assert answer.returncode == 78, answer.stdout + answer.stderr
    assert machine.run("test", "-e", "/etc/snikket/snikket.conf").returncode != 0


def test_it_ends_with_the_admins_invitation(installed: str) -> None:
    assert re.search(rf"https://{re.escape(DOMAIN)}/invite/\S+", installed), installed
    assert any(block in installed for block in "█▀▄"), "no QR code"


def test_it_says_that_it_adds_backports(machine: Machine, installed: str) -> None:
    sources = machine.done("sh", "-c", "cat /etc/apt/sources.list /etc/apt/sources.list.d/*")
    assert "bookworm-backports" in sources


def test_the_service_runs_and_the_system_is_well(machine: Machine, installed: str) -> None:
    assert machine.done("systemctl", "is-active", "snikket").strip() == "active"
    assert machine.done("systemctl", "is-enabled", "snikket").strip() == "enabled"
    assert machine.done("systemctl", "--failed", "--plain", "--no-legend").strip() == ""
    assert status(machine)["healthy"]


def test_debians_own_servers_do_not_run(machine: Machine, installed: str) -> None:
    for server in ("prosody", "nginx", "coturn"):
        assert machine.run("systemctl", "is-active", server).stdout.strip() == "inactive"
        assert machine.run("systemctl", "is-enabled", server).stdout.strip() == "disabled"
    assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").returncode != 0


def test_every_server_has_its_own_user(machine: Machine, installed: str) -> None:
    for service in status(machine)["services"]:
        owner = machine.done("stat", "-c", "%U", f"/proc/{service['pid']}").strip()
        assert owner == f"snikket-{service['name']}"


def test_clients_get_a_certificate_that_they_trust(authority: Authority, installed: str) -> None:
    with Stream(DOMAIN, 5222, str(authority.root)) as stream:
        stream.open()
        stream.start_tls()
        assert "SCRAM-SHA-256" in stream.mechanisms


def test_secrets_and_state_are_not_for_everybody(machine: Machine, installed: str) -> None:
    readable = machine.done("sh", "-c", "cd / && setpriv --reuid=65534 --regid=65534 --clear-groups find /var/lib/snikket -type f -readable 2>/dev/null; :")
    assert readable.strip() == ""


def test_shells_complete_the_commands(machine: Machine, installed: str) -> None:
    for path in ("bash-completion/completions/snikket", "zsh/site-functions/_snikket", "fish/vendor_completions.d/snikket.fish"):
        assert "invite" in machine.done("cat", f"/usr/local/share/{path}")


def test_a_second_run_changes_nothing(machine: Machine, installed: str) -> None:
    before = machine.done("cat", "/etc/snikket/snikket.conf")
    serial = status(machine)["certificate"]["serial"]
    answer = machine.install(DOMAIN, "admin@example.org", "--agree-tos")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert machine.done("cat", "/etc/snikket/snikket.conf") == before
    assert status(machine)["certificate"]["serial"] == serial


def test_another_domain_is_refused(machine: Machine, installed: str) -> None:
    answer = machine.install("other.example.net", "admin@example.org", "--agree-tos")
    assert answer.returncode == 78
    assert DOMAIN in answer.stderr


def test_it_comes_back_after_a_reboot(machine: Machine, installed: str) -> None:
    serial = status(machine)["certificate"]["serial"]
    machine.reboot()
    until(lambda: machine.run("snikket", "status").returncode == 0, 60, "it is healthy again")
    assert status(machine)["certificate"]["serial"] == serial


def test_stopping_it_leaves_no_process(machine: Machine, installed: str) -> None:
    machine.done("systemctl", "stop", "snikket")
    assert machine.run("pgrep", "-u", "snikket-prosody,snikket-nginx,snikket-coturn,snikket-portal").stdout == ""
    assert machine.done("systemctl", "show", "-p", "Result", "snikket").strip() == "Result=success"


def test_it_can_be_removed_and_what_people_wrote_stays(machine: Machine, installed: str) -> None:
    machine.done("/root/snikket/install.sh", "--uninstall")
    assert machine.run("test", "-e", "/usr/local/bin/snikket").returncode != 0
    machine.done("test", "-d", "/var/lib/snikket/prosody")
    machine.done("/root/snikket/install.sh", "--uninstall", "--purge")
    assert machine.run("test", "-e", "/var/lib/snikket").returncode != 0
    assert machine.run("getent", "passwd", "snikket-prosody").returncode != 0
