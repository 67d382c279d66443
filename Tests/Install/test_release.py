"""A release, from the script that people pipe into sh to the purge of the package; on a bare Debian 12 and a bare Debian 13."""

import asyncio
import gzip
import json
import os
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
WEB = "web.chat.example.org"
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
        "--set", "SNIKKET_ACME_CA_BUNDLE=/etc/ssl/test-authority.pem", "--set", f"SNIKKET_WEB_HOST={WEB}")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{machine.journal()}"
    return answer.stdout, time.monotonic() - began


def status(machine: Machine) -> dict:
    return json.loads(machine.run("snikket", "status", "--json").stdout or "{}")


def test_the_package_is_the_same_bytes_each_time_and_lintian_has_nothing_to_say(release: Release) -> None:
    # In memory the second time: folders have another size there.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as again:
        subprocess.run(
            [CHECKOUT / "packaging/build", "--binaries", PROGRAMS, "--output", again, "--url", release.url, "--key", release.key],
            capture_output=True, check=True, env=os.environ | {"TMPDIR": again})
        assert (Path(again) / release.package.name).read_bytes() == release.package.read_bytes()
    lint = subprocess.run(
        ["lintian", "--allow-root", "--profile", "debian", "--fail-on", "error,warning", release.package], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


def test_manual_pages_are_about_what_can_be_typed_and_lead_to_pages_that_are_there(release: Release) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "--extract", release.package, folder], check=True)
        pages = {file.name.removesuffix(".1.gz"): gzip.decompress(file.read_bytes()).decode() for file in Path(folder).glob("usr/share/man/man1/*")}
        assert {"snikket", "snikket-upgrade", "snikket-invite-create", "snikket-certs-issue"} <= pages.keys()
        # What only the programs run themselves.
        assert not {"snikket-upgrade-continue", "snikket-upgrade-rehearse", "snikket-serve", "snikket-portal"} & pages.keys()
        for name, page in pages.items():
            assert f".Dt {name.upper()} 1\n" in page and f".Sh NAME\n.Nm {name}\n" in page, page
            typed = re.search(r'^\.Sh SYNOPSIS\n\.Nm "(.*)"$', page, re.MULTILINE).group(1)
            assert typed.replace(" ", "-") == name
            above = typed.split()
            helped = subprocess.run([PROGRAMS / above[0], "help", *above[1:]], capture_output=True, text=True)
            assert helped.returncode == 0 and re.search(rf"^USAGE: {typed}\b", helped.stdout, re.MULTILINE), helped.stdout + helped.stderr
            assert set(re.findall(r"^\.Xr (\S+)", page, re.MULTILINE)) <= pages.keys(), page
            assert ".Ex" not in page and "78 when the settings are wrong" in page


def test_what_is_linked_in_the_packages_documents_is_in_the_package(release: Release) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "--extract", release.package, folder], check=True)
        documents = Path(folder) / "usr/share/doc/snikket"
        for document in documents.rglob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)[^):]*\)", document.read_text()):
                # The licence is every Debian's, this one's too.
                target = Path(folder) / link[1:] if link.startswith("/usr/share/snikket/") else document.parent / link
                assert target.exists(), f"{document.name}: {link}"
        assert "/usr/share/doc/snikket/CHANGELOG.md" in gzip.decompress((documents / "changelog.gz").read_bytes()).decode()


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
    # What looking at it takes is there; nothing that only a release needs is.
    assert machine.run("dpkg", "-s", "prosody").returncode != 0
    assert machine.run("test", "-e", "/etc/apt/sources.list.d/snikket-backports.list").returncode != 0


def test_who_is_not_root_and_has_no_sudo_is_told_so(machine: Machine, release: Release) -> None:
    script = (release.served / "install.sh").read_text()
    answer = machine.run("setpriv", "--reuid=65534", "--clear-groups", "sh", "-s", "--", "--deps-only", stdin=script)
    assert answer.returncode == 1 and "you are not root, and sudo is not installed" in answer.stderr, answer.stdout + answer.stderr


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
    assert re.search(rf"https://{re.escape(WEB)}/invite/\S+", said), said
    assert any(block in said for block in "█▀▄"), "no QR code"
    print(f"installed in {seconds:.0f} s, with what Debian's packages take to be fetched")


def test_two_people_register_by_the_printed_invitation_and_talk(
        machine: Machine, authority: Authority, installed: tuple[str, float]) -> None:
    said, _ = installed
    token = re.search(rf"https://{re.escape(WEB)}/invite/([^/\s]+)", said).group(1)
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
    # As people write it in an official Snikket's settings, too.
    machine.done("sed", "-i", "s/^SNIKKET_DOMAIN=.*/export SNIKKET_DOMAIN = \"Chat.Example.org\"/", "/etc/snikket/snikket.conf")
    settings = machine.done("cat", "/etc/snikket/snikket.conf")
    answer = release.install(machine, "CHAT.example.org", "admin@example.org")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"==> ready: https://{WEB}/\n" in answer.stdout, answer.stdout
    assert machine.done("cat", "/etc/snikket/snikket.conf") == settings
    assert status(machine)["healthy"]


def test_it_comes_back_after_a_reboot(machine: Machine, installed: tuple[str, float]) -> None:
    machine.reboot()
    until(lambda: machine.run("snikket", "status").returncode == 0, 60, "it is healthy again")


def test_removing_keeps_what_people_wrote(machine: Machine, release: Release, installed: tuple[str, float]) -> None:
    answer = release.install(machine, "--uninstall")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert machine.run("test", "-e", "/usr/bin/snikket").returncode != 0
    machine.done("test", "-d", "/var/lib/snikket/prosody")
    assert machine.run("pgrep", "-u", "snikket-prosody").returncode != 0


def test_a_release_takes_the_place_of_programs_that_were_built_here(
        machine: Machine, release: Release, installed: tuple[str, float]) -> None:
    answer = machine.install()
    assert answer.returncode == 0, answer.stdout + answer.stderr + machine.journal()
    assert _running(machine) == ("/etc/systemd/system/snikket.service", "/usr/local/bin/snikket")
    people = machine.done("snikket", "user", "list", "--json")
    assert "alice" in people
    answer = release.install(machine)
    assert answer.returncode == 0, answer.stdout + answer.stderr + machine.journal()
    assert _running(machine) == ("/usr/lib/systemd/system/snikket.service", "/usr/bin/snikket")
    assert machine.done("find", "/usr/local", "/etc/systemd/system", "-name", "*snikket*", "-type", "f").strip() == ""
    assert machine.done("find", "/etc/systemd/system", "-xtype", "l", "-name", "*snikket*").strip() == "", "links to units that are gone"
    for unit in ("snikket.service", "snikket-backup.timer", "snikket-upgrade-check.timer"):
        assert machine.done("systemctl", "is-enabled", unit).strip() == "enabled"
    assert status(machine)["healthy"]
    assert machine.done("snikket", "user", "list", "--json") == people


def _running(machine: Machine) -> tuple[str, str]:
    """The unit's file, and the program that it runs."""
    shown = machine.done("systemctl", "show", "snikket.service", "-p", "MainPID", "-p", "FragmentPath")
    values = dict(line.split("=", 1) for line in shown.splitlines())
    fragment = machine.done("realpath", values["FragmentPath"]).strip()
    return fragment, machine.done("cat", f"/proc/{values['MainPID']}/cmdline").split("\0")[0]


def test_programs_built_here_are_not_put_before_a_release(machine: Machine, installed: tuple[str, float]) -> None:
    answer = machine.install()
    assert answer.returncode == 1 and "a release of snikket is installed" in answer.stderr, answer.stdout + answer.stderr
    assert machine.run("test", "-e", "/usr/local/bin/snikket").returncode != 0


def test_a_purge_that_is_to_keep_what_people_wrote_keeps_every_backup(machine: Machine, installed: tuple[str, float]) -> None:
    machine.done("snikket", "backup", "create")
    machine.done("mkdir", "-p", "/var/lib/snikket-upgrade/backups")
    machine.done("snikket", "backup", "create", "--to", "/var/lib/snikket-upgrade/backups/before.tar.zst")
    machine.run("debconf-set-selections", stdin="snikket snikket/purge-data boolean false\n")
    machine.done("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "purge", "snikket")
    assert machine.done("find", "/var/lib/snikket/backups", "-name", "*.tar.zst").strip()
    machine.done("test", "-e", "/var/lib/snikket-upgrade/backups/before.tar.zst")
    machine.done("test", "-e", "/etc/snikket/snikket.conf")


def _install_package(machine: Machine, release: Release) -> None:
    machine.copy(release.package, "/root/snikket.deb")
    machine.done("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install", "--no-install-recommends", "/root/snikket.deb")


def _purge(machine: Machine, release: Release) -> str:
    """What is said: by the package on one Debian, by the script on the other."""
    if machine.debian == 12:
        answer = machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "purge", "snikket")
    else:
        answer = release.install(machine, "--uninstall", "--purge")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def test_a_purge_that_nobody_was_asked_about_keeps_what_containers_use(machine: Machine, release: Release, installed: tuple[str, float]) -> None:
    _install_package(machine, release)
    machine.done("mkdir", "/var/lib/snikket/containers")
    assert "containers use /var/lib/snikket: it stays" in _purge(machine, release)
    for kept in ("/var/lib/snikket/prosody", "/var/lib/snikket-upgrade", "/etc/snikket/snikket.conf"):
        machine.done("test", "-e", kept)
    assert machine.run("getent", "passwd", "snikket-prosody").returncode == 0


def test_purging_leaves_nothing(machine: Machine, release: Release, installed: tuple[str, float]) -> None:
    _install_package(machine, release)
    machine.done("test", "-d", "/var/lib/snikket/prosody")
    if machine.debian == 12:
        # Somebody says that it is to go, whoever uses it.
        machine.run("debconf-set-selections", stdin="snikket snikket/purge-data boolean true\n")
    else:
        machine.done("rmdir", "/var/lib/snikket/containers")
    said = machine.done("snikket", "init", "--force", "--domain", DOMAIN, "--email", "admin@example.org", "--agree-tos")
    assert "`systemctl start snikket` starts it" in said, said
    # What people wrote is on a disk of its own, and what upgrades keep is elsewhere.
    machine.done("sh", "-c", """
        mkdir /srv/state && cp -a /var/lib/snikket/. /srv/state && rm -r /var/lib/snikket/* && mount --bind /srv/state /var/lib/snikket
        mv /var/lib/snikket-upgrade /srv/upgrade && ln -s /srv/upgrade /var/lib/snikket-upgrade""")
    _purge(machine, release)
    machine.done("sh", "-c", "umount /var/lib/snikket && rmdir /srv/state /var/lib/snikket")
    assert machine.run("test", "-e", "/srv/upgrade").returncode != 0
    left = machine.done(
        "find", "/", "-xdev", "-name", "*snikket*", "-not", "-path", "/proc/*", "-not", "-path", "/root/*", "-not", "-path", "/var/log/*",
        "-not", "-path", "/var/lib/apt/*", "-not", "-path", "/var/cache/*", "-not", "-path", "/tmp/*",
        "-not", "-path", "/etc/apt/sources.list.d/snikket-backports.list")
    assert left.strip() == "", left
    assert machine.run("getent", "passwd", "snikket-prosody").returncode != 0
    assert machine.run("systemctl", "is-enabled", "snikket").returncode != 0
