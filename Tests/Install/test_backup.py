"""Backups by the timer, in the sandbox of its service; and Debian's upgrades that replace what a server runs."""

import asyncio
import json
import re
import subprocess
from pathlib import Path

from machine import Machine
from world.authority import Authority
from world.people import Account, logged_in, register
from world.waiting import until

UNITS = ["snikket-backup.service", "snikket-backup.timer"]
FOLDER = "/etc/systemd/system"


def _backups(machine: Machine) -> list[dict]:
    return json.loads(machine.done("snikket", "backup", "list", "--json"))


def _problem(machine: Machine, matter: str) -> dict | None:
    problems = json.loads(machine.run("snikket", "status", "--json").stdout)["problems"]
    return next((problem for problem in problems if problem["matter"] == matter), None)


def _set(machine: Machine, **options: str) -> None:
    kept = [line for line in machine.done("cat", "/etc/snikket/snikket.conf").splitlines() if line.split("=")[0] not in options]
    lines = kept + [f"{name}={value}" for name, value in options.items() if value]
    machine.run("tee", "/etc/snikket/snikket.conf", stdin="\n".join(lines) + "\n")
    machine.done("snikket", "reload")


def _script(machine: Machine, path: str, text: str) -> None:
    machine.run("tee", path, stdin=f"#!/bin/sh\n{text}\n")
    machine.done("chmod", "755", path)


def test_systemd_has_nothing_against_the_units(machine: Machine, installed: str) -> None:
    answer = machine.run("systemd-analyze", "verify", *(f"{FOLDER}/{unit}" for unit in UNITS))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    said = machine.done("systemd-analyze", "security", "--offline=true", "--no-pager", f"{FOLDER}/snikket-backup.service")
    rating = re.search(r"Overall exposure level for snikket-backup.service: ([0-9.]+)", said)
    assert rating is not None and float(rating[1]) <= 3.2, said


def test_the_timer_is_there_and_makes_nothing_that_is_not_wished_for(machine: Machine, installed: str) -> None:
    assert machine.done("systemctl", "is-enabled", UNITS[1]).strip() == "enabled"
    assert machine.done("systemctl", "is-active", UNITS[1]).strip() == "active"
    machine.done("systemctl", "start", UNITS[0])
    assert _backups(machine) == []


def test_a_backup_is_made_and_handed_on_in_the_sandbox(machine: Machine, installed: str) -> None:
    machine.run("tee", "/root/key", stdin="where it goes")
    _script(machine, "/usr/local/sbin/carry", 'cat /root/key >/dev/null && cp "$1" /srv/')
    _set(machine, SNIKKET_BACKUP_SCHEDULE="daily", SNIKKET_BACKUP_COMMAND="/usr/local/sbin/carry")
    machine.done("systemctl", "start", UNITS[0])
    (backup,) = _backups(machine)
    assert backup["scheduled"]
    for file in (backup["file"], f"/srv/{backup['file'].rsplit('/', 1)[1]}"):
        verified = json.loads(machine.done("snikket", "backup", "verify", "--json", file))
        assert [database["path"] for database in verified["databases"]] == ["state/prosody/prosody.sqlite"], verified
    assert machine.run("snikket", "status").returncode == 0
    machine.done("systemctl", "start", UNITS[0])
    assert _backups(machine) == [backup], "one a day"
    said = machine.done("journalctl", "-u", UNITS[0], "-o", "cat", "--no-pager")
    assert not re.search(r"permission denied|not permitted|EPERM|EACCES", said, re.IGNORECASE), said


def test_one_that_fails_is_told_of_until_it_is_mended(machine: Machine, installed: str) -> None:
    machine.done("sh", "-c", "rm /var/lib/snikket/backups/*")
    _script(machine, "/usr/local/sbin/carry", "echo the other side is away >&2; exit 3")
    assert machine.run("systemctl", "start", UNITS[0]).returncode != 0
    problem = until(lambda: _problem(machine, "backup"), 90, "the status tells of it")
    assert "the other side is away" in problem["cause"], problem
    (backup,) = _backups(machine)
    _script(machine, "/usr/local/sbin/carry", 'cp "$1" /srv/')
    machine.done("systemctl", "start", UNITS[0])
    assert _backups(machine) == [backup], "what was made is handed on, and not made again"
    machine.done("test", "-e", f"/srv/{backup['file'].rsplit('/', 1)[1]}")
    until(lambda: _problem(machine, "backup") is None, 90, "it is over")


def test_a_restore_stops_the_service_for_a_moment_and_everything_is_as_it_was(machine: Machine, installed: str) -> None:
    (backup,) = _backups(machine)
    settings = machine.done("cat", "/etc/snikket/snikket.conf")
    machine.done("sh", "-c", "echo SNIKKET_SITE_NAME=Later >>/etc/snikket/snikket.conf")
    machine.done("snikket", "restore", backup["file"], "--yes", "--stop")
    until(lambda: machine.run("snikket", "status").returncode == 0, 60, "it is healthy again")
    assert machine.done("cat", "/etc/snikket/snikket.conf") == settings


def test_a_package_that_is_installed_anew_has_its_server_started_again_and_no_other(machine: Machine, installed: str) -> None:
    """What apt does for a security update is the same with the version that is there."""
    before = {service["name"]: service["pid"] for service in json.loads(machine.done("snikket", "status", "--json"))["services"]}
    machine.done("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install", "--reinstall", "coturn")

    def pids() -> dict[str, int]:
        return {service["name"]: service["pid"] for service in json.loads(machine.run("snikket", "status", "--json").stdout)["services"]}

    until(lambda: pids()["coturn"] not in (before["coturn"], None), 150, "coturn is started again")
    until(lambda: machine.run("snikket", "status").returncode == 0, 60, "it is healthy")
    assert {name for name, pid in pids().items() if pid != before[name]} == {"coturn"}
    said = machine.done("journalctl", "-u", "snikket", "-o", "cat", "--no-pager", "-g", "is started again")
    assert "coturn is started again: an upgrade has replaced turnserver" in said, said


def test_a_backup_of_debian_12_is_restored_on_an_empty_debian_13(
        machine: Machine, installed: str, authority: Authority, tmp_path: Path) -> None:
    eve = Account("eve", "correct horse battery", Machine.domain, 5222, str(authority.root))

    async def say() -> None:
        async with logged_in(eve) as person:
            person.send_message(mto=eve.address, mbody="from the old machine", mtype="chat")
            assert (await person.next_message())["body"] == "from the old machine"

    async def look() -> None:
        async with logged_in(eve) as person:
            assert "from the old machine" in await person.archive_with(eve.address)

    asyncio.run(register(eve, json.loads(machine.done("snikket", "invite", "create", "--json"))["token"]))
    asyncio.run(say())
    machine.done("snikket", "backup", "create", "--to", "/root/backup.tar.zst")
    file = tmp_path / "backup.tar.zst"
    file.write_bytes(subprocess.run(
        ["podman", "--runtime", "runc", "exec", machine.name, "cat", "/root/backup.tar.zst"], capture_output=True, check=True).stdout)
    # Both machines have the same ports.
    machine.done("systemctl", "stop", "snikket")
    try:
        with Machine(13) as other:
            other.done("mkdir", "-p", "/etc/snikket", "/etc/ssl")
            other.run("tee", "/etc/ssl/test-authority.pem", stdin=authority.bundle.read_text())
            answer = other.install(
                Machine.domain, "admin@example.org", "--agree-tos", "--set", f"SNIKKET_ACME_DIRECTORY={authority.directory}",
                "--set", "SNIKKET_ACME_CA_BUNDLE=/etc/ssl/test-authority.pem")
            assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{other.journal()}"
            other.copy(file, "/root/backup.tar.zst")
            said = other.done("snikket", "restore", "/root/backup.tar.zst", "--yes", "--stop")
            assert "Debian 12" in said, said
            until(lambda: other.run("snikket", "status").returncode == 0, 60, "it is healthy")
            asyncio.run(look())
    finally:
        machine.done("systemctl", "start", "snikket")
