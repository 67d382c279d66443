"""An installation on a server, from the first command to a reboot and to its removal; the tests are its steps, in order."""

import json
import re

from machine import Machine
from world.authority import Authority
from world.stream import Stream
from world.waiting import until

DOMAIN = Machine.domain


def status(machine: Machine) -> dict:
    return json.loads(machine.run("snikket", "status", "--json").stdout or "{}")


def test_without_consent_nothing_is_written(machine: Machine) -> None:
    answer = machine.install(DOMAIN, "admin@example.org")
    assert answer.returncode == 64, answer.stdout + answer.stderr
    assert "--agree-tos" in answer.stderr
    assert machine.run("test", "-e", "/etc/snikket/snikket.conf").returncode != 0


def test_somebodys_own_prosody_is_not_upgraded(machine: Machine) -> None:
    machine.done("apt-get", "-q", "update")
    machine.done("apt-get", "-q", "-y", "install", "--no-install-recommends", "prosody", "lighttpd")
    before = machine.done("dpkg-query", "-W", "-f", "${Version}", "prosody")
    assert before.startswith("0.12"), before
    for arguments in (["--deps-only"], ["--try"], [DOMAIN, "admin@example.org", "--agree-tos", "--binaries", "/root/programs"]):
        answer = machine.run("/root/snikket/install.sh", *arguments)
        assert answer.returncode == 1, answer.stdout + answer.stderr
        assert "rosody" in answer.stderr and "systemctl disable --now prosody" in answer.stderr
    assert machine.done("dpkg-query", "-W", "-f", "${Version}", "prosody") == before
    assert machine.done("systemctl", "is-enabled", "prosody").strip() == "enabled"
    # As they are told; what they have written in it stays theirs, also when it is upgraded later.
    machine.done("sh", "-c", "echo '-- mine' >>/etc/prosody/prosody.cfg.lua")
    machine.done("systemctl", "disable", "--quiet", "--now", "prosody")


def test_somebodys_own_web_server_is_left_alone(machine: Machine) -> None:
    answer = machine.install(DOMAIN, "admin@example.org", "--agree-tos")
    assert answer.returncode == 1 and "lighttpd is running on this machine" in answer.stderr, answer.stdout + answer.stderr
    assert "it can also stand in front" in answer.stderr
    machine.done("systemctl", "is-active", "lighttpd")
    machine.done("apt-get", "-q", "-y", "purge", "lighttpd")


def test_a_wrong_answer_is_refused_before_anything_is_installed(machine: Machine) -> None:
    for domain, email in (("not a domain", "admin@example.org"), ("https://chat.example.org/", "admin@example.org"), ("203.0.113.5", "admin@example.org"),
                          ("chat", "admin@example.org"), (DOMAIN, "admin")):
        answer = machine.install(domain, email, "--agree-tos")
        assert answer.returncode == 78, answer.stdout + answer.stderr
        assert "==>" not in answer.stdout, answer.stdout
    assert machine.run("test", "-e", "/etc/snikket/snikket.conf").returncode != 0


# A setting that is refused, at the end of all that comes before the settings.
REFUSED = (DOMAIN, "admin@example.org", "--agree-tos", "--set", "SNIKKET_RETENTION_DAYS=soon", "--binaries", "/root/programs")
HOOK = "/etc/apt/apt.conf.d/99hurt"
POLICY = "/usr/sbin/policy-rc.d"


def hurt_when_coturn_is_installed(machine: Machine, signal: str) -> list[str]:
    """The command of an installation that gets this signal while apt-get is at work and has installed that."""
    machine.run("tee", HOOK, stdin=f"""
        DPkg::Post-Invoke {{ "[ ! -e /etc/systemd/system/multi-user.target.wants/coturn.service ] || kill -{signal} $(cat /run/installing)"; }};
    """)
    return ["sh", "-c", 'echo $$ >/run/installing; exec /root/snikket/install.sh "$@"', "sh", *REFUSED]


def assert_debians_own_servers_do_not_run(machine: Machine) -> None:
    for server in ("prosody", "nginx", "coturn"):
        assert machine.run("systemctl", "is-active", server).stdout.strip() == "inactive"
        assert machine.run("systemctl", "is-enabled", server).stdout.strip() == "disabled"
    assert machine.run("test", "-e", POLICY).returncode != 0


def test_a_connection_that_is_lost_leaves_no_server_that_starts_by_itself(machine: Machine) -> None:
    answer = machine.run(*hurt_when_coturn_is_installed(machine, "HUP"))
    assert answer.returncode == 129, answer.stdout + answer.stderr
    assert_debians_own_servers_do_not_run(machine)


def test_whoever_installs_packages_meanwhile_is_waited_for(machine: Machine) -> None:
    machine.done("apt-get", "-q", "-y", "purge", "coturn")
    # One lock is asked for by `apt-get update`, one by `apt-get install`.
    holders = {machine.hold_lock(file, unit): unit for file, unit in
               (("/var/lib/apt/lists/lock", "updater"), ("/var/lib/dpkg/lock-frontend", "installer"))}
    said = ""
    with machine.begin(*hurt_when_coturn_is_installed(machine, "KILL")) as installing:
        for line in installing.stdout:
            said += line
            for process, unit in holders.items():
                if f"waiting for others who are installing packages: process {process} (perl)" in line:
                    machine.done("systemctl", "stop", unit)
    assert installing.returncode == 137, said
    assert said.count("waiting for others") == 2, said


def test_a_wrong_setting_is_refused_and_leaves_nothing(machine: Machine) -> None:
    # Nor does the installation before it, which was killed while packages were installed.
    machine.done("rm", HOOK)
    assert machine.done("systemctl", "is-enabled", "coturn").strip() == "enabled"
    answer = machine.run("/root/snikket/install.sh", *REFUSED)
    assert answer.returncode == 78, answer.stdout + answer.stderr
    assert "SNIKKET_RETENTION_DAYS" in answer.stderr
    assert machine.run("ls", "-A", "/etc/snikket").stdout == "", "the corrected run would keep it"
    assert_debians_own_servers_do_not_run(machine)


def test_a_prosody_that_nobody_uses_any_more_is_upgraded_with_its_settings_as_they_were(machine: Machine) -> None:
    assert machine.done("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "prosody").startswith("ii 13")
    assert machine.done("tail", "-n", "1", "/etc/prosody/prosody.cfg.lua").strip() == "-- mine"


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
    assert_debians_own_servers_do_not_run(machine)


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
    for folder in ("/var/lib/snikket", "/run/snikket", "/etc/snikket"):
        assert machine.done("find", folder, "-type", "f").strip(), f"nothing is in {folder}"
    readable = machine.done(
        "sh", "-c", "cd / && setpriv --reuid=65534 --regid=65534 --clear-groups"
        " find /var/lib/snikket /run/snikket /etc/snikket -type f -readable 2>/dev/null; :").splitlines()
    # Everybody who visits sees the pages, and nginx.conf says nothing that a visitor may not know.
    public = ("/run/snikket/nginx/pages/", "/run/snikket/nginx/nginx.conf", "/run/snikket/acme-challenge/")
    assert [path for path in readable if not path.startswith(public)] == []
    assert machine.done("stat", "-c", "%a %U", "/etc/snikket/snikket.conf").strip() == "600 root"


def test_the_consent_that_was_given_is_in_the_settings(machine: Machine, installed: str) -> None:
    assert "SNIKKET_LETSENCRYPT_TOS_AGREE=Y" in machine.done("cat", "/etc/snikket/snikket.conf")


def test_the_memory_of_every_server_is_known(machine: Machine, installed: str) -> None:
    for service in status(machine)["services"]:
        assert (service["memory_bytes"] or 0) > 1_000_000, service


def test_systemd_waits_longer_than_the_servers_may_take(machine: Machine, installed: str) -> None:
    assert machine.done("systemctl", "show", "-p", "TimeoutStopUSec", "snikket").strip() == "TimeoutStopUSec=1min"


def test_what_others_decided_about_packages_stays(machine: Machine, installed: str) -> None:
    """A policy-rc.d of their own, and a server that was there before."""
    theirs = "#!/bin/sh\n# mine\nexit 101\n"
    machine.run("tee", "/usr/sbin/policy-rc.d", stdin=theirs)
    machine.done("systemctl", "enable", "coturn")
    machine.done("dpkg", "--remove", "--force-depends", "lua-unbound")
    answer = machine.install(DOMAIN, "admin@example.org", "--agree-tos", "--set", "SNIKKET_RETENTION_DAYS=9")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert machine.done("cat", "/usr/sbin/policy-rc.d") == theirs
    assert machine.done("systemctl", "is-enabled", "coturn").strip() == "enabled"
    assert "edit that file" in answer.stdout, "--set was passed over in silence"
    machine.done("rm", "/usr/sbin/policy-rc.d")
    machine.done("systemctl", "disable", "coturn")


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


def test_who_needs_no_authority_is_not_said_to_have_agreed(machine: Machine, installed: str) -> None:
    """Last, on the machine that was cleared above."""
    answer = machine.install(DOMAIN, "admin@example.org", "--set", "SNIKKET_CERTIFICATE=internal")
    assert answer.returncode == 0, answer.stdout + answer.stderr + machine.journal()
    assert "TOS_AGREE" not in machine.done("cat", "/etc/snikket/snikket.conf")
    assert status(machine)["healthy"]


def test_who_stands_behind_another_web_server_is_told_what_to_do_while_the_installation_waits(machine: Machine, installed: str) -> None:
    machine.done("/root/snikket/install.sh", "--uninstall", "--purge")
    answer = machine.install(
        DOMAIN, "admin@example.org", "--set", "SNIKKET_CERTIFICATE=internal", "--set", "SNIKKET_TWEAK_WEB_PROXY_PROTOS=http",
        "--set", "SNIKKET_TWEAK_HTTP_PORT=5080")
    assert answer.returncode == 0, answer.stdout + answer.stderr + machine.journal()
    said = answer.stdout
    assert said.index("==> starting") < said.index("sudo snikket render --target proxy=nginx") < said.index("==> ready"), said
    # It runs: what was said can be done.
    assert "proxy_pass" in machine.done("snikket", "render", "--target", "proxy=nginx")
    # Afterwards there is a certificate, and nothing to be told.
    again = machine.install(DOMAIN, "admin@example.org")
    assert again.returncode == 0 and "render --target" not in again.stdout, again.stdout + again.stderr
