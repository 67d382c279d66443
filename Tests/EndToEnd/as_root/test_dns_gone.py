"""Nobody answers questions about names any more: the machine's resolv.conf names an address that swallows them.

The appliance runs in a mount namespace of its own, in which /etc/resolv.conf is another file; the test changes that file.
"""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from world.appliance import Appliance, without_pebble
from world.conversation import under_fire
from world.people import register
from world.programs import put_program


@contextmanager
def _silent_resolver() -> Iterator[str]:
    """An address on port 53 of which every question is taken, and none answered."""
    address = "127.0.0.53"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind((address, 53))
        yield address


@contextmanager
def _entering(appliance: Appliance, resolver_file: Path) -> Iterator[None]:
    """What is started by the body sees `resolver_file` as /etc/resolv.conf: root mounts it, and then becomes the appliance's user."""
    folder = appliance.folder / "entering"
    folder.mkdir(exist_ok=True)
    door = folder / "snikket"
    who = f"--reuid={appliance.uid} --regid={appliance.uid} --clear-groups"
    put_program(
        door,
        f'#!/bin/sh\nexec unshare --mount sh -c \'mount --bind "{resolver_file}" /etc/resolv.conf && exec setpriv {who} "{appliance.program}" "$@"\''
        ' sh "$@"\n')
    uid, program = appliance.uid, appliance.program
    appliance.uid, appliance.program = 0, door
    try:
        yield
    finally:
        appliance.uid, appliance.program = uid, program


def test_local_chat_goes_on_and_a_start_needs_nobody() -> None:
    with without_pebble("dns", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, _silent_resolver() as silent:
        real = Path("/etc/resolv.conf").read_text()
        file = appliance.folder / "resolv.conf"
        file.write_text(real)
        with _entering(appliance, file):
            appliance.start()
        appliance.line("ready ", 60)
        namespace = subprocess.run(
            ["nsenter", "--mount", f"--target={appliance.service('prosody')['pid']}", "cat", "/etc/resolv.conf"],
            capture_output=True, text=True, check=True).stdout
        assert namespace == real
        both = appliance.account("ann", "correct horse battery"), appliance.account("ben", "staple battery horse")
        for account in both:
            asyncio.run(register(account, appliance.invite()["token"]))
        before = [(service["name"], service["pid"]) for service in appliance.healthy()["services"]]
        with under_fire(*both) as conversation:
            file.write_text(f"nameserver {silent}\noptions timeout:2 attempts:2\n")
            conversation.goes_on(messages=100)
            began = time.monotonic()
            assert appliance.snikket("status").returncode == 0
            assert time.monotonic() - began < 10
            assert appliance.get(f"/invite/{appliance.invite()['token']}/").status == 200
        assert [(service["name"], service["pid"]) for service in appliance.healthy()["services"]] == before
        assert appliance.stop() == 0
        # And from the start.
        with _entering(appliance, file):
            appliance.start()
        appliance.line("ready ", 60)
        appliance.healthy()
        with under_fire(*both):
            pass

