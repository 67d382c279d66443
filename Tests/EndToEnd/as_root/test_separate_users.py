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
    assert {process.uid for process in rooted.processes()} <= {0, *users.values()}
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
    def readable_by(uid: int) -> set[str]:
        script = (
            "import os,sys\n"
            "for folder,_,files in os.walk(sys.argv[1]):\n"
            "    for name in files:\n"
            "        path=os.path.join(folder,name)\n"
            "        if os.access(path,os.R_OK): print(os.path.relpath(path,sys.argv[1]))\n")
        answer = subprocess.run(
            ["python3", "-c", script, str(rooted.state)], user=uid, group=uid, extra_groups=[], capture_output=True, text=True, check=True)
        return set(answer.stdout.split())

    assert any(path.startswith("prosody/") for path in readable_by(users["prosody"]))
    for service in ("nginx", "coturn", "portal"):
        seen = readable_by(users[service])
        private = {path for path in seen if path.startswith(("prosody/", "certificates/", "acme/", "secrets/"))}
        assert private == set(), (service, private)
