"""As root, each server gets a user of its own, and cannot look into the others' folders."""

import os
import pwd
import subprocess
from collections.abc import Iterator

import pytest

from world.appliance import CHECKOUT, Appliance, without_pebble

USERS = {"prosody": "snikket-prosody", "nginx": "snikket-nginx", "coturn": "snikket-coturn", "portal": "snikket-portal"}


@pytest.fixture(scope="module")
def users() -> Iterator[dict[str, int]]:
    """The users that an installation makes; those that were not there are removed again."""
    existing = {entry.pw_name for entry in pwd.getpwall()}
    subprocess.run(["systemd-sysusers", str(CHECKOUT / "templates/systemd/snikket.sysusers")], check=True, capture_output=True)
    yield {service: pwd.getpwnam(user).pw_uid for service, user in USERS.items()}
    for user in [*USERS.values(), "snikket-certs"]:
        if user not in existing:
            subprocess.run(["userdel", user], check=True, capture_output=True)


@pytest.fixture(scope="module")
def rooted(users: dict[str, int]) -> Iterator[Appliance]:
    with without_pebble("root", as_root=True, settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


def test_each_server_runs_as_its_own_user(rooted: Appliance, users: dict[str, int]) -> None:
    for service in rooted.healthy()["services"]:
        assert os.stat(f"/proc/{service['pid']}").st_uid == users[service["name"]], service["name"]
    assert {process.uid for process in rooted.processes()} <= {0, *users.values(), pwd.getpwnam("snikket-certs").pw_uid}
    roots = [process.command for process in rooted.processes() if process.uid == 0]
    assert len(roots) == 1, f"only `snikket up` is root: {roots}"


def test_a_server_has_no_capability_that_it_does_not_need(rooted: Appliance) -> None:
    net_bind_service = 1 << 10
    for service in rooted.healthy()["services"]:
        status = dict(
            line.split(":", 1) for line in open(f"/proc/{service['pid']}/status").read().splitlines() if ":" in line)
        allowed = net_bind_service if service["name"] in ("nginx", "prosody", "coturn") else 0
        assert int(status["CapEff"], 16) & ~allowed == 0, (service["name"], status["CapEff"])
        assert int(status["NoNewPrivs"]) == 1, service["name"]


def test_a_server_cannot_read_what_is_anothers(rooted: Appliance, users: dict[str, int]) -> None:
    files = [
        os.path.join(folder, name) for folder, _, names in os.walk(rooted.state) for name in names
        if not os.path.islink(os.path.join(folder, name))]

    def readable_by(uid: int) -> set[str]:
        script = "import os,sys\nfor path in sys.stdin.read().split(chr(0)):\n    if os.access(path, os.R_OK): print(path)\n"
        answer = subprocess.run(
            ["python3", "-c", script], user=uid, group=uid, extra_groups=[], input="\0".join(files), capture_output=True, text=True,
            check=True, cwd="/")
        return {os.path.relpath(path, rooted.state) for path in answer.stdout.splitlines()}

    assert any(path.startswith("prosody/") for path in readable_by(users["prosody"]))
    for service, uid in users.items():
        theirs = f"{service}/"
        private = ("prosody/", "certificates/", "acme/", "secrets/", "portal/")
        seen = {path for path in readable_by(uid) if path.startswith(private) and not path.startswith(theirs)}
        assert {path for path in seen if not path.endswith("/ca.pem")} == set(), service
