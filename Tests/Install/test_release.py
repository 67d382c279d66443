"""A release, from the script that people pipe into sh to the purge of the package; on a bare Debian 12 and a bare Debian 13."""

import asyncio
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine import CHECKOUT, PROGRAMS, Machine
from releases import Release
from world.authority import Authority
from world.people import Account, logged_in, register
from world.ports import free
from world.waiting import until

DOMAIN = "chat.example.org"
PORTS = (80, 443, 5222, 5223, 5269, 3478)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A Pebble on this machine, which the installed one reaches over the loopback that both share."""
    taken = [port for port in PORTS if not free(port)]
    assert not taken, f"these ports of this machine are in use: {taken}"
    with tempfile.TemporaryDirectory(prefix="snikket-release-") as folder, Authority(Path(folder), 80) as authority:
        yield authority


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    with tempfile.TemporaryDirectory(prefix="snikket-release-") as folder:
        release = Release(Path(folder))
        yield release
        release.server.shutdown()


@pytest.fixture(scope="module", params=[12, 13])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    with Machine(request.param) as machine:
        yield machine


@pytest.fixture(scope="module")
def installed(machine: Machine, release: Release, authority: Authority) -> tuple[str, float]:
    """What the script printed, and how many seconds passed from the package's start to the invitation."""
    machine.done("mkdir", "-p", "/etc/ssl")
    machine.run("tee", "/etc/ssl/test-authority.pem", stdin=authority.bundle.read_text())
    # What the network takes is not ours: the packages of Debian are fetched first.
    machine.done("apt-get", "-q", "update")
    # What an installation that was killed has left.
    machine.run("tee", "/usr/sbin/policy-rc.d", stdin="#!/bin/sh\n# By snikket's install.sh, while it installs packages.\nexit 101\n")
    began = time.monotonic()
    answer = release.install(machine, DOMAIN, "admin@example.org", "--agree-tos", "--set", f"SNIKKET_ACME_DIRECTORY={authority.directory}",
        "--set", "SNIKKET_ACME_CA_BUNDLE=/etc/ssl/test-authority.pem")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{machine.journal()}"
    return answer.stdout, time.monotonic() - began


def status(machine: Machine) -> dict:
    return json.loads(machine.run("snikket", "status", "--json").stdout or "{}")


def test_the_package_is_the_same_bytes_each_time_and_lintian_has_nothing_to_say(release: Release) -> None:
    with tempfile.TemporaryDirectory() as again:
        subprocess.run(
            [CHECKOUT / "packaging/build", "--binaries", PROGRAMS, "--output", again, "--url", release.url, "--key", release.key],
            capture_output=True, check=True)
        assert (Path(again) / release.package.name).read_bytes() == release.package.read_bytes()
    lint = subprocess.run(
        ["lintian", "--allow-root", "--profile", "debian", "--fail-on", "error,warning", release.package], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


def test_a_changed_release_installs_nothing(machine: Machine, release: Release) -> None:
    try:
        whole = (release.served / "release").read_bytes()
        (release.served / "release").write_bytes(whole.replace(b"security no", b"security ok"))
        answer = release.install(machine, DOMAIN, "admin@example.org", "--agree-tos")
        assert answer.returncode == 1 and "not signed by its makers" in answer.stderr, answer.stderr
        (release.served / "release").write_bytes(whole)
        package = release.served / release.package.name
        package.write_bytes(package.read_bytes()[:-1] + b"x")
        answer = release.install(machine, DOMAIN, "admin@example.org", "--agree-tos")
        assert answer.returncode == 1 and "is not the one of the release" in answer.stderr, answer.stderr
    finally:
        release.make()
    assert machine.run("dpkg", "-s", "snikket").returncode != 0


def test_piped_into_sh_it_asks_on_the_terminal(machine: Machine, release: Release) -> None:
    machine.copy(release.served / "install.sh", "/root/install.sh")
    # script(1) is the terminal; the third answer is no, so that nothing is installed.
    answer = machine.run(
        "script", "-qec", "cat /root/install.sh | sh", "/dev/null", stdin=f"{DOMAIN}\nadmin@example.org\nn\n")
    assert "second half of everybody's address" in answer.stdout, answer.stdout
    assert "you did not agree" in answer.stdout, answer.stdout
    assert machine.run("test", "-e", "/etc/snikket/snikket.conf").returncode != 0


def test_it_ends_with_the_admins_invitation_in_time(installed: tuple[str, float]) -> None:
    said, seconds = installed
    assert re.search(rf"https://{re.escape(DOMAIN)}/invite/\S+", said), said
    assert any(block in said for block in "█▀▄"), "no QR code"
    print(f"installed in {seconds:.0f} s, with what Debian's packages take to be fetched")


def test_two_people_register_by_the_printed_invitation_and_talk(
        machine: Machine, authority: Authority, installed: tuple[str, float]) -> None:
    said, _ = installed
    token = re.search(rf"https://{re.escape(DOMAIN)}/invite/([^/\s]+)", said).group(1)
    alice = Account("alice", "correct horse battery", DOMAIN, 5222, str(authority.root))
    bob = Account("bob", "staple battery horse", DOMAIN, 5222, str(authority.root))

    async def talk() -> None:
        await register(alice, token)
        await register(bob, json.loads(machine.done("snikket", "invite", "create", "--json"))["token"])
        async with logged_in(alice) as a, logged_in(bob) as b:
            a.send_message(mto=bob.address, mbody="hello from a new home", mtype="chat")
            assert (await b.next_message())["body"] == "hello from a new home"

    asyncio.run(talk())


def test_debians_own_servers_do_not_run(machine: Machine, installed: tuple[str, float]) -> None:
    for server in ("prosody", "nginx", "coturn"):
        assert machine.run("systemctl", "is-active", server).stdout.strip() == "inactive"
    assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").returncode != 0
    assert machine.done("systemctl", "--failed", "--plain", "--no-legend").strip() == ""


def test_systemd_has_nothing_against_the_unit(machine: Machine, installed: tuple[str, float]) -> None:
    units = [name for name in machine.done("dpkg", "-L", "snikket").split() if name.startswith("/usr/lib/systemd/system/") and "." in name]
    assert len(units) >= 6
    answer = machine.run("systemd-analyze", "verify", "--man=no", *units)
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, ""), answer.stderr
    for timer in ("snikket-backup.timer", "snikket-upgrade-check.timer"):
        assert machine.done("systemctl", "is-enabled", timer).strip() == "enabled"
        assert machine.done("systemctl", "is-active", timer).strip() == "active"


def test_manual_pages_and_completions_are_there(machine: Machine, installed: tuple[str, float]) -> None:
    files = machine.done("dpkg", "-L", "snikket")
    for file in ("man1/snikket.1.gz", "man1/snikket-invite-create.1.gz", "man1/snikket-backup-create.1.gz", "bash-completion/completions/snikket", "_snikket", "snikket.fish"):
        assert file in files


def test_a_second_run_changes_nothing(machine: Machine, release: Release, installed: tuple[str, float]) -> None:
    settings = machine.done("cat", "/etc/snikket/snikket.conf")
    answer = release.install(machine)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert machine.done("cat", "/etc/snikket/snikket.conf") == settings
    assert status(machine)["healthy"]


def test_it_comes_back_after_a_reboot(machine: Machine, installed: tuple[str, float]) -> None:
    machine.reboot()
    until(lambda: machine.run("snikket", "status").returncode == 0, 60, "it is healthy again")


def test_removing_keeps_what_people_wrote_and_purging_leaves_nothing(machine: Machine, installed: tuple[str, float]) -> None:
    machine.done("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "remove", "snikket")
    machine.done("test", "-d", "/var/lib/snikket/prosody")
    assert machine.run("pgrep", "-u", "snikket-prosody").returncode != 0
    machine.done("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "purge", "snikket")
    left = machine.done(
        "find", "/", "-xdev", "-name", "*snikket*", "-not", "-path", "/proc/*", "-not", "-path", "/root/*", "-not", "-path", "/var/log/*",
        "-not", "-path", "/var/lib/apt/*", "-not", "-path", "/var/cache/*", "-not", "-path", "/tmp/*",
        "-not", "-path", "/etc/apt/sources.list.d/snikket-backports.list")
    assert left.strip() == "", left
    assert machine.run("getent", "passwd", "snikket-prosody").returncode != 0
    assert machine.run("systemctl", "is-enabled", "snikket").returncode != 0
