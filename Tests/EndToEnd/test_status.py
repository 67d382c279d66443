"""`snikket status`, as scripts and people read it."""

import os
import re
import stat
from typing import Any

from world.appliance import CHECKOUT, Appliance
from world.ports import free_block


def test_what_scripts_rely_on(appliance: Appliance) -> None:
    status = appliance.healthy()
    assert set(status) >= {"healthy", "services", "certificate", "ports", "version"}
    assert {service["name"] for service in status["services"]} == {"prosody", "nginx", "coturn", "portal"}
    for service in status["services"]:
        assert set(service) >= {"name", "state", "pid", "since", "restarts", "memory_bytes", "last_problem"}
        os.kill(service["pid"], 0)
        assert service["memory_bytes"] > 1_000_000
    assert set(status["certificate"]) >= {"names", "issuer", "serial", "not_after", "next_attempt", "last_error", "served"}
    assert appliance.snikket("status", "--json").returncode == 0


def test_every_member_is_documented_and_of_the_type_that_is_documented(appliance: Appliance) -> None:
    page = (CHECKOUT / "docs/status.md").read_text()
    documented = dict(re.findall(r"^\| `([a-z_.\[\]]+)` \| ([a-z ]+) \|", page, re.MULTILINE))
    found = dict(members(appliance.healthy(), ""))
    assert found.keys() <= documented.keys(), found.keys() - documented.keys()
    for path, kind in found.items():
        assert kind in documented[path] or (kind == "object" and "problem" in documented[path]), path
    # What is not there now belongs to something that is null or empty now.
    for path in documented.keys() - found.keys():
        parent = path.removesuffix("[]").rpartition(".")[0].removesuffix("[]")
        assert found.get(parent, "null") in ("null", "array"), path


def members(value: Any, path: str) -> list[tuple[str, str]]:
    """Every path in it, and the type there; objects with names from the settings are not gone into."""
    if isinstance(value, list):
        return [member for item in value for member in members(item, f"{path}[]")]
    if not isinstance(value, dict) or path in ("ports", "versions", "certificate.served"):
        return []
    kinds = {type(None): "null", str: "string", bool: "boolean", int: "number", list: "array", dict: "object"}
    found = []
    for name, item in value.items():
        below = f"{path}.{name}" if path else name
        found += [(below, kinds[type(item)]), *members(item, below)]
    return found


def test_people_get_a_table(appliance: Appliance) -> None:
    answer = appliance.snikket("status")
    assert answer.returncode == 0
    for word in ("prosody", "nginx", "coturn", "portal", appliance.domain, "LAST PROBLEM", "certificate", "served by", "disk", "free", "versions"):
        assert word in answer.stdout, word
    assert "\x1b" not in answer.stdout, "colour where there is no terminal"


def test_the_logs_of_each_service_can_be_read(appliance: Appliance) -> None:
    answer = appliance.snikket("logs", "prosody")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()


def test_secrets_are_for_their_owner_only(appliance: Appliance) -> None:
    exposed = []
    for folder, _, files in os.walk(appliance.state / "secrets"):
        exposed += [f"{folder}/{name}" for name in files if stat.S_IMODE(os.stat(f"{folder}/{name}").st_mode) & 0o077]
    assert (appliance.state / "secrets").is_dir()
    assert exposed == []


def test_no_secret_is_on_a_command_line(appliance: Appliance) -> None:
    secrets = {
        line.strip() for path in (appliance.state / "secrets").rglob("*") if path.is_file()
        for line in path.read_text(errors="replace").splitlines() if len(line.strip()) >= 16}
    assert secrets
    for process in appliance.processes():
        assert not any(secret in process.command for secret in secrets), process.pid


def test_everything_runs_as_one_unprivileged_user_without_root(appliance: Appliance) -> None:
    assert {process.uid for process in appliance.processes()} == {appliance.uid}
    assert appliance.uid != 0


def test_a_second_up_on_the_same_state_is_refused(appliance: Appliance) -> None:
    # On other ports: only the state directory is in the way.
    answer = appliance.snikket("up", "--ports-from", str(free_block()))
    assert answer.returncode not in (0, None)
    assert "running already" in answer.stderr, answer.stderr
    assert str(appliance.state) in answer.stderr
    assert appliance.healthy()["healthy"]
