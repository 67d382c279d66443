"""As root, each server gets a user of its own, and cannot look into the others' folders."""

import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from world.appliance import Appliance, without_pebble
from world.waiting import Late, until

@pytest.fixture(scope="module")
def rooted(users: dict[str, int]) -> Iterator[Appliance]:
    with without_pebble("root", as_root=True, settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


def test_each_server_runs_as_its_own_user(rooted: Appliance, users: dict[str, int]) -> None:
    for service in rooted.healthy()["services"]:
        assert os.stat(f"/proc/{service['pid']}").st_uid == users[service["name"]], service["name"]
    assert {process.uid for process in rooted.processes()} <= {0, *users.values(), pwd.getpwnam("snikket-certs").pw_uid}
    # A process of it that is about to become another program is still root for a moment.
    until(lambda: len([process for process in rooted.processes() if process.uid == 0]) == 1, 10, "only `snikket up` is root")


def test_no_server_has_a_capability_where_all_ports_are_high(rooted: Appliance) -> None:
    for service in rooted.healthy()["services"]:
        status = dict(
            line.split(":", 1) for line in open(f"/proc/{service['pid']}/status").read().splitlines() if ":" in line)
        for kind in ("CapEff", "CapAmb", "CapPrm", "CapInh", "CapBnd"):
            assert int(status[kind], 16) == 0, (service["name"], kind, status[kind])
        assert int(status["NoNewPrivs"]) == 1, service["name"]


def _files(folder: Path) -> list[Path]:
    """Every regular file in it; no links, no sockets."""
    found = [Path(parent) / name for parent, _, names in os.walk(folder) for name in names]
    return [path for path in found if _is_file(path)]


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False  # SQLite's journal comes and goes


def _as(uid: int, script: str, text: str) -> str:
    """What a Python script printed that ran as that user, with `text` as its standard input."""
    return subprocess.run(
        ["python3", "-c", script], user=uid, group=uid, extra_groups=[], input=text, capture_output=True, text=True, check=True,
        cwd="/").stdout


def _readable_by(uid: int, rooted: Appliance) -> set[str]:
    script = "import os,sys\nfor path in sys.stdin.read().split(chr(0)):\n    if os.access(path, os.R_OK): print(path)\n"
    answer = _as(uid, script, "\0".join(map(str, _files(rooted.state))))
    return {os.path.relpath(path, rooted.state) for path in answer.splitlines()}


# Everybody who visits sees the pages, and nginx.conf says nothing that a visitor may not know.
PUBLIC = ("run/nginx/pages/", "run/nginx/nginx.conf", "run/acme-challenge/")
PRIVATE = ("prosody/", "certificates/", "acme/", "secrets/", "portal/", "run/")


def test_a_server_cannot_read_what_is_anothers(rooted: Appliance, users: dict[str, int]) -> None:
    there = {os.path.relpath(path, rooted.state) for path in _files(rooted.state)}
    assert there >= {"run/portal/portal.json", "run/prosody/prosody.cfg.lua"}, there
    keys = {path for path in there if re.fullmatch(r"run/[a-z]+/tls/.*privkey.*", path)}
    assert {path.split("/")[1] for path in keys} == {"prosody", "nginx", "coturn"}, there
    for service, uid in users.items():
        readable = _readable_by(uid, rooted)
        assert any(path.startswith((f"{service}/", f"run/{service}/")) for path in readable), (service, readable)
        assert {key for key in keys if key in readable} == {key for key in keys if key.startswith(f"run/{service}/")}, service
        others = {
            path for path in readable
            if path.startswith(PRIVATE) and not path.startswith((f"{service}/", f"run/{service}/", *PUBLIC)) and not path.endswith("/ca.pem")}
        assert others == set(), service


def test_a_server_cannot_change_what_it_is_started_from(rooted: Appliance, users: dict[str, int]) -> None:
    for service, uid in users.items():
        for folder in (rooted.state / "run" / service, rooted.state / "run" / service / "tls"):
            if service == "portal" and folder.name == "tls":
                continue
            assert folder.stat().st_uid != uid, f"{folder} is {service}'s own"
            assert folder.stat().st_mode & 0o022 == 0, folder


ATTACK = """
import os, sys
file, directory, *folders = sys.stdin.read().split(chr(0))
for top in folders:
    for folder, folders_in_it, names in os.walk(top, topdown=False):
        for name in [*names, *folders_in_it]:
            path = os.path.join(folder, name)
            try:
                os.rename(path, path + ".away")
                os.symlink(directory if name in folders_in_it else file, path)
                print(path)
            except OSError: pass
"""


def _facts(path: Path) -> tuple[int, int, int, int]:
    facts = path.stat()
    return facts.st_uid, facts.st_gid, facts.st_mode, facts.st_ino


def test_links_that_a_server_left_lead_nobody_astray(users: dict[str, int]) -> None:
    """A server that was broken into puts links to what is root's wherever it may write; root starts everything again."""
    with without_pebble("links", as_root=True, settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started()
        assert appliance.stop() == 0
        directory = appliance.folder / "victim"
        directory.mkdir(mode=0o700)
        file = directory / "file"
        file.write_text("what only root may see\n")
        file.chmod(0o600)
        before = _facts(directory), _facts(file)
        laid = [
            _as(uid, ATTACK, "\0".join(map(str, (file, directory, appliance.state / "run" / service, appliance.state / service))))
            for service, uid in users.items()]
        assert any(laid), "not one link could be laid: nothing was tried"
        appliance.start()
        # Whether it starts then is not the question: what it does to somebody else's files is.
        try:
            appliance.line("ready ", 30)
        except Late:
            pass
        assert (_facts(directory), _facts(file)) == before
        assert file.read_text() == "what only root may see\n"
        assert [path.name for path in directory.iterdir()] == ["file"]
        for path in _files(appliance.state):
            # What is being written, or a journal, may be gone by now.
            with suppress(FileNotFoundError):
                assert b"what only root may see" not in path.read_bytes(), path
