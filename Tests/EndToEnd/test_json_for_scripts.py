"""What docs/json.md promises to scripts is what the commands print."""

import asyncio
import json
import re
import subprocess
from pathlib import Path

from world.appliance import CHECKOUT, without_pebble
from world.backups import verify
from world.people import register


def _promised(command: str) -> tuple[set[str], set[str]]:
    """Every member of a command's table, and those of them that are always there."""
    page = (CHECKOUT / "docs/json.md").read_text()
    section = page.partition(f"\n## `snikket {command}`\n")[2].partition("\n## ")[0]
    every: set[str] = set()
    always: set[str] = set()
    for row in (line.split("|") for line in section.splitlines() if line.startswith("| `")):
        names = set(re.findall(r"`(\w+)`", row[1]))
        every |= names
        if "absent" not in row[2]:
            always |= names
    assert every, f"docs/json.md says nothing about {command}"
    return every, always


def _keeps_its_promise(command: str, answer: subprocess.CompletedProcess[str]) -> None:
    assert answer.returncode == 0, answer.stderr
    printed = json.loads(answer.stdout)
    every, always = _promised(command)
    objects = printed if isinstance(printed, list) else [printed]
    assert objects, f"{command} printed nothing"
    for item in objects:
        assert always <= item.keys() <= every, (command, always - item.keys(), item.keys() - every)


def test_every_member_that_is_printed_is_documented_and_the_other_way_round() -> None:
    with without_pebble("json", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started()
        token = appliance.invite()["token"]
        asyncio.run(register(appliance.account("alice", "correct horse battery"), token))
        _keeps_its_promise("invite create", appliance.snikket("invite", "create", "--json", "--comment", "for a test"))
        for command in ("invite list", "user list", "reload", "config list", "config show"):
            more = ["--dry-run"] if command == "reload" else []
            _keeps_its_promise(command, appliance.snikket(*command.split(), "--json", *more))
        made = appliance.snikket("backup", "create", "--json")
        _keeps_its_promise("backup create", made)
        _keeps_its_promise("backup list", appliance.snikket("backup", "list", "--json"))
        _keeps_its_promise("backup verify", verify(Path(json.loads(made.stdout)["file"]), "--json"))
