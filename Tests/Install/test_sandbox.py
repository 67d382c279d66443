"""Under systemd: what the unit allows, what systemd sees of it and does about it, and that everything works all the same."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from machine import Machine
from world import turn, web
from world.authority import Authority
from world.mailbox import mailbox
from world.people import Account, logged_in, register
from world.stream import Stream
from world.waiting import until

DOMAIN = Machine.domain
UNIT = "/etc/systemd/system/snikket.service"
TELLING = "/etc/systemd/system/snikket-failed.service"
KEPT = sum(1 << number for number in (0, 5, 6, 7, 8, 10))


def _show(machine: Machine, name: str) -> str:
    return machine.done("systemctl", "show", "-P", name, "snikket").strip()


def _status(machine: Machine) -> dict:
    return json.loads(machine.run("snikket", "status", "--json").stdout or "{}")


def _healthy(machine: Machine, seconds: float = 60) -> dict:
    until(lambda: machine.run("snikket", "status").returncode == 0, seconds, "it is healthy")
    return _status(machine)


def _lines_during(machine: Machine, act: Callable[[], None]) -> list[str]:
    """What `systemctl status` showed meanwhile, each line once in a row."""
    seen: list[str] = []
    look = "systemctl show -P StatusText snikket"
    watch = f"rm -f /tmp/enough; {look}; touch /tmp/watching; while [ ! -e /tmp/enough ]; do {look}; done"
    watcher = threading.Thread(target=lambda: seen.extend(machine.done("timeout", "120", "sh", "-c", f"{{ {watch}; }} | uniq").splitlines()))
    machine.run("rm", "-f", "/tmp/watching")
    watcher.start()
    until(lambda: machine.run("test", "-e", "/tmp/watching").returncode == 0, 20, "somebody watches")
    act()
    machine.done("touch", "/tmp/enough")
    watcher.join()
    return seen


@contextmanager
def _drop_in(machine: Machine, line: str) -> Iterator[None]:
    """Runs it with one more line in its unit."""
    folder = f"{UNIT}.d"
    machine.done("mkdir", "-p", folder)
    machine.run("tee", f"{folder}/test.conf", stdin=f"[Service]\n{line}\n")
    try:
        for command in (["daemon-reload"], ["restart", "snikket"]):
            machine.done("systemctl", *command)
        _healthy(machine)
        yield
    finally:
        machine.done("rm", "-r", folder)
        for command in (["daemon-reload"], ["restart", "snikket"]):
            machine.done("systemctl", *command)
        _healthy(machine)


@pytest.mark.parametrize("unit", [UNIT, TELLING])
def test_the_unit_is_rated_as_one_that_exposes_little(machine: Machine, installed: str, unit: str) -> None:
    said = machine.done("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    rating = re.search(r"Overall exposure level for [a-z.-]+: ([0-9.]+)", said)
    assert rating is not None and float(rating[1]) <= 2.6, said


@pytest.mark.parametrize("unit", [UNIT, TELLING])
def test_systemd_has_nothing_against_the_unit(machine: Machine, installed: str, unit: str) -> None:
    answer = machine.run("systemd-analyze", "verify", unit)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_the_sandbox_is_in_effect(machine: Machine, installed: str) -> None:
    main = _show(machine, "MainPID")
    pids = {"snikket": int(main)} | {service["name"]: service["pid"] for service in _healthy(machine)["services"]}
    for name, pid in pids.items():
        lines = dict(line.split(":", 1) for line in machine.done("cat", f"/proc/{pid}/status").splitlines() if ":" in line)
        assert (lines["NoNewPrivs"].strip(), lines["Seccomp"].strip()) == ("1", "2"), (name, lines)
        expected = {"snikket": KEPT, "nginx": 1 << 10}.get(name, 0)
        for kind in ("CapBnd", "CapPrm", "CapEff"):
            assert int(lines[kind], 16) == expected, (name, kind, lines[kind])


def test_root_in_the_sandbox_can_do_little(machine: Machine, installed: str) -> None:
    """What a program can do that is started as `snikket up` is."""
    allowed = ["ls /var/lib/snikket /run/snikket", "cat /etc/snikket/snikket.conf", "touch /run/snikket/x"]
    refused = [
        "ls /home", "ls /root", "touch /usr/x", "touch /etc/x", "ls /var/lib/snikket/prosody", "cat /run/snikket/portal/work/x", "cat /proc/1/environ",
        "cat /proc/kmsg", "ls /dev/mem", "mount -t tmpfs none /mnt", "unshare -n true", "date -s 2020-01-01", "renice -n 1 $$", "hostname x"]
    script = "".join(f"if {command} >/dev/null 2>&1; then echo yes; else echo no; fi\n" for command in allowed + refused)
    machine.run("tee", "/etc/snikket/inside.sh", stdin=f"exec >/run/snikket/inside\n{script}echo end\n")
    with _drop_in(machine, "ExecStartPost=/bin/sh /etc/snikket/inside.sh"):
        until(lambda: "end" in machine.run("cat", "/run/snikket/inside").stdout, 30, "the script has run")
        said = machine.done("cat", "/run/snikket/inside").split()[:-1]
        found = dict(zip(allowed + refused, said, strict=True))
    assert found == dict.fromkeys(allowed, "yes") | dict.fromkeys(refused, "no")


def test_the_line_of_systemctl_status_is_true(machine: Machine, installed: str) -> None:
    prosody = next(service["pid"] for service in _healthy(machine)["services"] if service["name"] == "prosody")
    assert f"Status: \"serving {DOMAIN}\"" in machine.done("systemctl", "status", "--no-pager", "snikket")

    def fail() -> None:
        machine.done("kill", "-KILL", str(prosody))
        until(lambda: "prosody is being started again" not in _show(machine, "StatusText"), 30, "it is over")
        _healthy(machine)

    seen = _lines_during(machine, fail)
    assert seen[0] == seen[-1] == f"serving {DOMAIN}", seen
    assert any(line.startswith("prosody is being started again: ended by signal 9") for line in seen), seen


def test_what_people_do_works_under_the_sandbox(machine: Machine, installed: str, authority: Authority) -> None:
    token = json.loads(machine.done("snikket", "invite", "create", "--json"))["token"]
    ida = Account("ida", "correct horse battery", DOMAIN, 5222, str(authority.root))
    asyncio.run(register(ida, token))
    picture = bytes(range(256)) * 700

    async def live() -> tuple[str, str, dict[str, str], list[dict[str, str]]]:
        async with logged_in(ida) as person:
            person.send_message(mto=ida.address, mbody="a note", mtype="chat")
            assert (await person.next_message())["body"] == "a note"
            service = await person.plugin["xep_0363"].find_upload_service(domain=DOMAIN, timeout=20)
            slot = await person.plugin["xep_0363"].request_slot(service["from"], "a.png", len(picture), "image/png", timeout=20)
            put = slot["http_upload_slot"]["put"]
            headers = {header["name"]: header["value"] for header in put["headers"]}
            return put["url"], slot["http_upload_slot"]["get"]["url"], headers, await person.turn_services()

    put, get, headers, services = asyncio.run(live())
    assert web.ask(put, ida.trust, method="PUT", body=picture, headers={"Content-Type": "image/png", **headers}).status == 201
    assert web.ask(get, ida.trust).body == picture
    relay = next(service for service in services if service["type"] == "turn" and service.get("transport", "udp") == "udp")
    assert turn.allocate(int(relay["port"]), relay["username"], relay["password"])[1] >= 1024
    assert web.ask(f"https://{DOMAIN}/", ida.trust).status == 200
    assert "ida" in machine.done("snikket", "user", "list")


def test_a_certificate_is_renewed_and_served_under_the_sandbox(machine: Machine, installed: str, authority: Authority) -> None:
    before = _healthy(machine)["certificate"]["serial"]
    machine.done("snikket", "certificate", "renew")
    status = _healthy(machine)
    assert status["certificate"]["serial"] != before
    assert set(status["certificate"]["served"].values()) == {status["certificate"]["serial"]}
    with Stream(DOMAIN, 5223, str(authority.root), direct_tls=True) as stream:
        stream.open()


def test_systemctl_reload_puts_changed_settings_into_force(machine: Machine, installed: str) -> None:
    main = _show(machine, "MainPID")
    machine.done("sh", "-c", "echo SNIKKET_SITE_NAME=Ours >> /etc/snikket/snikket.conf")
    seen = _lines_during(machine, lambda: machine.done("systemctl", "reload", "snikket") and None)
    assert "reading the settings again" in seen, seen
    assert (_show(machine, "ActiveState"), _show(machine, "SubState"), _show(machine, "MainPID")) == ("active", "running", main)
    assert "Ours" in machine.done("cat", "/run/snikket/portal/portal.json")
    # Asked for without systemd, it is seen all the same, and is over when it is over.
    machine.done("sh", "-c", "echo SNIKKET_TOS_URI=https://example.org/terms >> /etc/snikket/snikket.conf")
    states = "snikket reload & for i in $(seq 200); do systemctl show -P ActiveState snikket; done | uniq; wait $!"
    assert "reloading" in machine.done("sh", "-c", states).split()
    until(lambda: _show(machine, "ActiveState") == "active", 10, "the reload is over")


def test_the_logs_and_the_memory_are_seen_under_the_sandbox(machine: Machine, installed: str) -> None:
    assert machine.done("snikket", "logs", "prosody", "--lines", "5").strip()
    for service in _healthy(machine)["services"]:
        pss = machine.done(
            "sh", "-c", f"for p in $(pgrep -g {service['pid']}); do sed -n 's/^Pss: *\\([0-9]*\\) kB/\\1/p' /proc/$p/smaps_rollup; done")
        assert 0.5 < service["memory_bytes"] / 1024 / sum(map(int, pss.split())) < 2, (service, pss)


def test_nothing_that_is_needed_was_refused(machine: Machine, installed: str) -> None:
    """After all of the above."""
    logs = machine.done("sh", "-c", "cat /var/lib/snikket/logs/*.log; journalctl -u snikket -o cat --no-pager")
    refused = [line for line in logs.splitlines() if re.search(r"permission denied|not permitted|EPERM|EACCES", line, re.IGNORECASE)]
    # Prosody looks for certificates of other names beside the one that it is told of, and need not find any.
    assert [line for line in refused if "Error indexing certificate directory" not in line] == []


def test_a_certificate_in_a_home_directory_is_refused_with_what_to_do(machine: Machine, installed: str) -> None:
    machine.done("sh", "-c", "cp /etc/snikket/snikket.conf /root/kept.conf; mkdir -p /home/ida && cp /var/lib/snikket/certificates/fullchain.pem"
                 " /var/lib/snikket/certificates/privkey.pem /home/ida && chmod 644 /home/ida/*")
    machine.done("sh", "-c", "printf 'SNIKKET_CERTIFICATE=files\\nSNIKKET_CERTIFICATE_FULLCHAIN=/home/ida/fullchain.pem\\n"
                 "SNIKKET_CERTIFICATE_KEY=/home/ida/privkey.pem\\n' >> /etc/snikket/snikket.conf")
    machine.done("systemctl", "restart", "snikket")
    until(lambda: "/etc/snikket" in ((_status(machine).get("certificate") or {}).get("last_error") or {}).get("try", ""), 30, "it says where to keep it")
    error = _status(machine)["certificate"]["last_error"]
    assert error["cause"] == "/home/ida/fullchain.pem: permission denied" and "home directories" in error["try"], error
    until(lambda: _show(machine, "StatusText").startswith("no certificate: cannot read the certificate"), 10, "systemd is told")
    machine.done("cp", "/root/kept.conf", "/etc/snikket/snikket.conf")
    machine.done("systemctl", "restart", "snikket")
    _healthy(machine)


def test_systemd_starts_everything_again_when_snikket_is_killed(machine: Machine, installed: str) -> None:
    main = _show(machine, "MainPID")
    servers = {service["pid"] for service in _healthy(machine)["services"]}
    machine.done("kill", "-KILL", main)
    until(lambda: _show(machine, "MainPID") not in ("0", main), 30, "systemd has started it again")
    after = {service["pid"] for service in _healthy(machine)["services"]}
    assert not after & servers
    assert all(machine.run("test", "-e", f"/proc/{pid}").returncode != 0 for pid in servers), "a server outlived it"


def test_systemd_starts_everything_again_when_snikket_hangs(machine: Machine, installed: str) -> None:
    with _drop_in(machine, "WatchdogSec=4s"):
        main = _show(machine, "MainPID")
        restarts = int(_show(machine, "NRestarts"))
        machine.done("kill", "-STOP", main)
        until(lambda: int(_show(machine, "NRestarts")) > restarts, 30, "systemd has given up on it")
        _healthy(machine)
        assert _show(machine, "MainPID") != main
        assert "timeout" in machine.done("journalctl", "-u", "snikket", "--no-pager", "-o", "cat", "-g", "Watchdog").lower()


def test_a_service_that_ends_for_good_is_told_of_by_email_once(machine: Machine, installed: str, tmp_path: Path) -> None:
    settings = "/etc/snikket/snikket.conf"
    good = machine.done("cat", settings)
    with mailbox(tmp_path) as box:
        machine.run("tee", settings, stdin=f"{good}\nSNIKKET_SMTP_URL={box.url};insecure\nSNIKKET_RETENTION_DAYS=soon\n")
        try:
            assert machine.run("systemctl", "restart", "snikket").returncode != 0
            until(lambda: box.messages, 60, "the mail server has a message")
            assert _show(machine, "ActiveState") == "failed"
            until(lambda: machine.done("systemctl", "show", "-P", "ActiveState", "snikket-failed").strip() == "inactive", 30, "it has said so")
        finally:
            machine.run("tee", settings, stdin=good)
            machine.done("systemctl", "restart", "snikket")
        _healthy(machine)
        (message,) = box.messages
        # Before it stands the service's name, which the tests before may have set.
        assert message["Subject"].endswith(": Snikket has ended, and is not started again by itself."), message["Subject"]
        assert "SNIKKET_RETENTION_DAYS" in message.get_content()
