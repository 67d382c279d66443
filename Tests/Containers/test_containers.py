"""The appliance in containers, from the first start to a restart of everything; the tests are its steps, in order."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import ssl
import tarfile
from pathlib import Path

import pytest
import yaml

from stack import SERVICES, Stack
from world import turn, web
from world.appliance import Appliance, scratch
from world.authority import Authority
from world.people import Account, Slot, logged_in
from world.stream import Stream
from world.waiting import until


def served(stack: Stack) -> dict[str, str]:
    """The certificate that each port shows, by a digest."""
    context = ssl.create_default_context(cafile=str(stack.authority.root))

    def seen(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, context.wrap_socket(plain, server_hostname=stack.domain) as secure:
            return secure.getpeercert(binary_form=True) or b""

    shown = {"https": seen(stack.ports.https), "turn": seen(stack.ports.turn_tls), "chat": seen(stack.ports.client_tls)}
    return {name: hashlib.sha256(certificate).hexdigest() for name, certificate in shown.items()}


def test_podman_compose_reads_it_as_it_was_meant(stack: Stack) -> None:
    answer = stack.compose("config")
    assert answer.returncode == 0, answer.stderr
    read = yaml.safe_load(answer.stdout)
    written = yaml.safe_load((stack.folder / "compose.yaml").read_text())
    assert set(read["services"]) == set(SERVICES)
    for name, service in written["services"].items():
        for key in ("image", "user", "read_only", "cap_drop", "security_opt", "tmpfs", "mem_limit", "pids_limit", "healthcheck"):
            assert read["services"][name][key] == service[key], (name, key)


@pytest.mark.parametrize("service", SERVICES)
def test_inside_it_is_somebody_without_rights_who_can_write_nothing_but_what_is_mounted(stack: Stack, service: str) -> None:
    status = dict(line.split(":\t", 1) for line in stack.lua(service, "io.write(io.open('/proc/self/status'):read('a'))").splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split() + status["Gid"].split(), status
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, (kind, status[kind])
    assert status["NoNewPrivs"] == "1"
    users = {stack.lua(other, "io.write(io.open('/proc/self/status'):read('a'):match('Uid:%s+(%d+)'))") for other in SERVICES}
    assert len(users) == len(SERVICES), "two share a user"
    # Podman itself gives every container whose root is read-only a /tmp and a /run in memory.
    for path in ("/x", "/usr/bin/x", "/etc/x", "/usr/share/snikket/x", "/etc/snikket/x", "/var/x"):
        assert stack.lua(service, f"io.write((select(2, io.open('{path}', 'w'))) or 'written')").endswith(
            ("Read-only file system", "Permission denied")), path
    mounts = stack.lua(service, "io.write(io.open('/proc/self/mountinfo'):read('a'))").splitlines()
    root = next(line.split() for line in mounts if line.split()[4] == "/")
    assert "ro" in root[5].split(","), root


def test_there_is_no_shell_and_nothing_that_could_be_one_of_roots(stack: Stack) -> None:
    image = stack.podman("image", "mount", stack.settings["SNIKKET_CONTAINER_IMAGE"]).strip()
    try:
        programs = {path.name for folder in ("bin", "sbin", "usr/bin", "usr/sbin") for path in (Path(image) / folder).iterdir()}
        assert programs == {"snikket", "snikket-certs", "prosody", "prosodyctl", "lua5.4", "nginx", "turnserver", "sqlite3", "age", "sync"}, programs
        privileged = [path for path in Path(image).rglob("*") if not path.is_symlink() and path.is_file() and path.stat().st_mode & 0o6000]
        assert privileged == []
    finally:
        stack.podman("image", "umount", stack.settings["SNIKKET_CONTAINER_IMAGE"])
    size = int(stack.podman("image", "inspect", "-f", "{{.Size}}", stack.settings["SNIKKET_CONTAINER_IMAGE"]))
    assert size < 250_000_000, size


def test_what_docker_is_given_is_the_same_image(stack: Stack) -> None:
    with tarfile.open(os.environ["SNIKKET_ARCHIVE"]) as archive:
        described = json.load(archive.extractfile("manifest.json"))[0]
    assert described["RepoTags"] == [stack.settings["SNIKKET_CONTAINER_IMAGE"]]
    assert described["Config"].removesuffix(".json") == stack.podman("image", "inspect", "-f", "{{.Id}}", described["RepoTags"][0]).strip()


def test_no_socket_of_an_engine_is_anywhere(stack: Stack) -> None:
    for service in SERVICES:
        mounts = json.loads(stack.podman("inspect", "-f", "{{json .Mounts}}", stack.name(service)))
        assert not [mount for mount in mounts if mount["Source"].endswith(".sock") or mount["Source"] in ("/run", "/var/run", "/")]


def test_an_invitation_opens_in_a_browser(stack: Stack) -> None:
    invitation = stack.invite()
    page = web.ask(invitation["url"], str(stack.authority.root))
    assert page.status == 200 and stack.domain in page.text
    assert web.ask(f"http://{stack.domain}:{stack.ports.http}/").status == 301


def test_two_people_talk(alice: Account, bob: Account) -> None:
    async def talk() -> None:
        async with logged_in(alice) as a, logged_in(bob) as b:
            a.send_message(mto=bob.address, mbody="hello bob", mtype="chat")
            assert (await b.next_message())["body"] == "hello bob"
            b.send_message(mto=alice.address, mbody="hello alice", mtype="chat")
            assert (await a.next_message())["body"] == "hello alice"

    asyncio.run(talk())


def test_a_file_is_shared(alice: Account, bob: Account) -> None:
    picture = bytes(range(256)) * 700

    async def share() -> Slot:
        async with logged_in(alice) as a:
            return await a.upload_slot("photo.png", len(picture), "image/png")

    slot = asyncio.run(share())
    uploaded = web.ask(slot.put, alice.trust, method="PUT", body=picture, headers=slot.headers)
    assert uploaded.status == 201, uploaded.text
    downloaded = web.ask(slot.get, bob.trust)
    assert (downloaded.status, downloaded.body) == (200, picture)


def test_calls_get_a_relay_with_the_credentials_that_were_handed_out(stack: Stack, alice: Account) -> None:
    async def ask() -> list[dict[str, str]]:
        async with logged_in(alice) as a:
            return await a.turn_services()

    relay = next(s for s in asyncio.run(ask()) if s["type"] == "turn" and s.get("transport", "udp") == "udp")
    lowest = int(stack.settings["SNIKKET_TWEAK_TURNSERVER_MIN_PORT"])
    assert lowest <= turn.allocate(int(relay["port"]), relay["username"], relay["password"])[1] <= lowest + 20


def test_a_new_certificate_reaches_every_server_and_no_container_is_started_again(stack: Stack) -> None:
    before, processes = served(stack), {service: stack.first_process(service) for service in SERVICES}
    answer = stack.inside("certificates", "snikket", "certificate", "renew", "--json")
    assert answer.returncode == 0, answer.stderr

    def is_everywhere() -> bool:
        # In one look: while nginx goes over to new workers, the old ones take a connection now and then.
        shown = served(stack)
        return len(set(shown.values())) == 1 and not set(shown.items()) & set(before.items())

    until(is_everywhere, 30, "every port shows the new certificate")
    assert {service: stack.first_process(service) for service in SERVICES} == processes


def test_a_setting_is_taken_over_by_whom_it_concerns(stack: Stack) -> None:
    processes = {service: stack.first_process(service) for service in SERVICES}
    stack.write_settings(SNIKKET_SITE_NAME='Kitchen "table" & friends')
    assert stack.render("--target", "compose", "--output", str(stack.folder)).returncode == 0
    url = stack.invite()["url"]
    until(lambda: "Kitchen &quot;table&quot; &amp; friends" in web.ask(url, str(stack.authority.root)).text, 60, "the page has the new name")
    stack.wait_until_healthy()
    assert {service: stack.first_process(service) for service in SERVICES} == processes


def test_a_setting_that_takes_another_start_gets_one(stack: Stack, alice: Account) -> None:
    """What concerns the whole is read when a program starts: each begins anew by itself, and no container has to."""
    processes = {service: stack.first_process(service) for service in SERVICES}
    lowest = int(stack.settings["SNIKKET_TWEAK_TURNSERVER_MIN_PORT"]) + 10
    stack.write_settings(SNIKKET_TWEAK_TURNSERVER_MIN_PORT=str(lowest))
    assert stack.render("--target", "compose", "--output", str(stack.folder)).returncode == 0
    for service in SERVICES:
        until(lambda: "MIN_PORT has changed: starting again" in stack.log(service), 60, f"{service} starts again")
    stack.wait_until_healthy()

    async def ask() -> list[dict[str, str]]:
        async with logged_in(alice) as a:
            return await a.turn_services()

    relay = next(s for s in asyncio.run(ask()) if s["type"] == "turn" and s.get("transport", "udp") == "udp")
    assert turn.allocate(int(relay["port"]), relay["username"], relay["password"])[1] >= lowest
    assert {service: stack.first_process(service) for service in SERVICES} == processes


def test_wrong_settings_are_refused_and_reach_nobody(stack: Stack) -> None:
    copy = stack.state / "containers/settings/snikket.conf"
    before = copy.read_bytes()
    stack.write_settings(SNIKKET_RETENTION_DAYS="soon")
    try:
        answer = stack.render("--target", "compose", "--output", str(stack.folder))
        assert answer.returncode == 78 and "SNIKKET_RETENTION_DAYS" in answer.stderr
        assert copy.read_bytes() == before
    finally:
        del stack.settings["SNIKKET_RETENTION_DAYS"]
        stack.write_settings()


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_whose_first_process_is_killed_is_back(stack: Stack, service: str) -> None:
    killed = stack.first_process(service)
    os.kill(killed, signal.SIGKILL)
    until(lambda: stack.first_process(service) not in (0, killed), 30, f"{service} is started again")
    stack.wait_until_healthy([service])


@pytest.mark.parametrize("service", ["portal", "nginx", "prosody", "coturn"])
def test_a_server_that_is_killed_is_back_without_another_start_of_its_container(stack: Stack, service: str) -> None:
    first = stack.first_process(service)

    def children() -> list[int]:
        # Whichever thread has started it.
        return [int(pid) for task in Path(f"/proc/{first}/task").iterdir() for pid in (task / "children").read_text().split()]

    killed = until(children, 20, f"{service} runs")
    os.kill(killed[0], signal.SIGKILL)
    until(lambda: children() and killed[0] not in children(), 30, f"{service} runs again")
    stack.wait_until_healthy([service])
    assert stack.first_process(service) == first


def test_settings_reach_nginx_also_while_it_waits_for_its_next_start(stack: Stack) -> None:
    def nginx() -> dict[str, object]:
        answer = stack.inside("nginx", "snikket", "status", "--json")
        assert answer.returncode in (0, 1), answer.stderr
        return json.loads(answer.stdout)["services"][0]

    def fails() -> bool:
        # Killed again and again it is started less and less often, until only every five minutes.
        children = [int(pid) for task in Path(f"/proc/{stack.first_process('nginx')}/task").iterdir() for pid in (task / "children").read_text().split()]
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        return not children and nginx()["state"] == "failed"

    until(fails, 90, "nginx counts as failed")
    stack.write_settings(SNIKKET_SITE_NAME="Larder")
    assert stack.render("--target", "compose", "--output", str(stack.folder)).returncode == 0
    until(lambda: nginx()["state"] == "ready", 60, "nginx is started with the new settings")
    until(lambda: "Larder" in web.ask(stack.invite()["url"], str(stack.authority.root)).text, 60, "the page has the new name")
    stack.wait_until_healthy()


def test_after_a_restart_of_everything_every_message_is_there(stack: Stack, authority: Authority, alice: Account, bob: Account) -> None:
    before = served(stack)
    assert stack.compose("down", "-t", "20").returncode == 0
    stack.up()
    stack.wait_until_healthy()

    async def look() -> list[str]:
        async with logged_in(alice) as a:
            return await a.archive_with(bob.address)

    assert asyncio.run(look())[-2:] == ["hello bob", "hello alice"]
    assert served(stack) == before, "another certificate was asked for"
    with Stream(stack.domain, stack.ports.client, str(authority.root)) as stream:
        stream.open()
        stream.start_tls()


def test_another_version_is_another_image_and_every_message_is_there(stack: Stack, alice: Account, bob: Account) -> None:
    image = stack.settings["SNIKKET_CONTAINER_IMAGE"]
    stack.podman("tag", image, image + "-next")
    try:
        stack.write_settings(SNIKKET_CONTAINER_IMAGE=image + "-next")
        answer = stack.render("--target", "compose", "--output", str(stack.folder))
        assert answer.returncode == 0 and "compose.yaml: written" in answer.stdout, answer.stderr
        stack.up()
        stack.wait_until_healthy()
        used = {stack.podman("inspect", "-f", "{{.ImageName}}", stack.name(service)).strip() for service in SERVICES}
        assert used == {image + "-next"}
        assert asyncio.run(said_to(alice, bob))[-2:] == ["hello bob", "hello alice"]
    finally:
        stack.write_settings(SNIKKET_CONTAINER_IMAGE=image)
        assert stack.render("--target", "compose", "--output", str(stack.folder)).returncode == 0
        stack.up()
        stack.podman("untag", image, image + "-next")
    stack.wait_until_healthy()


def test_an_image_does_not_touch_what_was_rendered_for_a_newer_one(stack: Stack) -> None:
    version = stack.state / "containers/settings/version"
    known = version.read_text()
    assert known == (stack.state / "version").read_text()
    version.write_text("99\n")
    stack.podman("restart", "-t", "5", stack.name("portal"))
    until(lambda: "the state was made by a newer snikket" in stack.log("portal"), 60, "it says why it does not begin")
    assert not stack.is_healthy("portal")
    assert stack.render("--target", "compose", "--output", str(stack.folder)).returncode == 0
    assert version.read_text() == known
    stack.up()
    stack.wait_until_healthy()


async def said_to(account: Account, other: Account) -> list[str]:
    async with logged_in(account) as person:
        return await person.archive_with(other.address)


def test_a_backup_moves_it_to_the_machine_itself_and_back_into_containers(stack: Stack, alice: Account, bob: Account) -> None:
    with scratch("moved") as folder:
        out = folder / "from-containers.tar.zst"
        answer = stack.snikket("backup", "create", "--to", str(out))
        assert answer.returncode == 0, answer.stderr
        refused = stack.snikket("restore", str(out), "--yes")
        assert refused.returncode == 1 and "snikket is running" in refused.stderr, refused.stderr
        assert stack.compose("down", "-t", "20").returncode == 0

        machine = Appliance(folder, configuration=None)
        machine.sets_ports = False
        for path in (folder, out):
            os.chown(path, machine.uid, -1)
        restored = machine.snikket("restore", str(out), "--yes", seconds=120)
        assert restored.returncode == 0 and "2 accounts" in restored.stdout, restored.stderr
        # It is somebody else's now, and so are no folders of containers in it.
        assert not (machine.state / "containers").exists()
        try:
            machine.started()
            assert asyncio.run(said_to(alice, bob))[-2:] == ["hello bob", "hello alice"]

            async def say() -> None:
                async with logged_in(alice) as a, logged_in(bob) as b:
                    a.send_message(mto=bob.address, mbody="from the machine", mtype="chat")
                    assert (await b.next_message())["body"] == "from the machine"

            asyncio.run(say())
            back = folder / "home/from-the-machine.tar.zst"
            answer = machine.snikket("backup", "create", "--to", str(back), seconds=120)
            assert answer.returncode == 0, answer.stderr
            assert machine.stop() == 0
        finally:
            machine.end()
        answer = stack.snikket("restore", str(back), "--yes")
        assert answer.returncode == 0, answer.stderr
    assert stack.render("--target", "compose", "--output", str(stack.folder)).returncode == 0
    stack.up()
    stack.wait_until_healthy()
    assert asyncio.run(said_to(alice, bob))[-3:] == ["hello bob", "hello alice", "from the machine"]
