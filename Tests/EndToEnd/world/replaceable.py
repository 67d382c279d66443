"""A machine whose programs and libraries can be replaced, as an upgrade does it: a mount namespace with copies of some folders."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from .appliance import Appliance, installation
from .programs import put_program

FOLDERS = ("/usr/sbin", "/usr/lib/prosody/util")
STATUS = "/var/lib/dpkg/status"


class Replaceable:
    """What only the appliance in it sees."""

    def __init__(self, pid: int):
        self.pid = pid

    def run(self, script: str) -> None:
        subprocess.run(["nsenter", "--mount", "--target", str(self.pid), "sh", "-ec", script], check=True, capture_output=True)

    def replace(self, file: str) -> None:
        """Another file under the same name, and dpkg's list says that something has been installed."""
        self.run(f"cp -p {file} {file}.dpkg-new && mv {file}.dpkg-new {file} && touch {STATUS}")


@contextmanager
def replaceable(appliance: Appliance) -> Iterator[Replaceable]:
    """Has the appliance, which is not started yet, run there."""
    copies = appliance.folder / "copies"
    lines = []
    for number, folder in enumerate(FOLDERS):
        shutil.copytree(folder, copies / str(number), symlinks=True)
        lines.append(f"mount --bind {copies / str(number)} {folder}")
    shutil.copy2(STATUS, copies / "status")
    lines += [f"mount --bind {copies / 'status'} {STATUS}", "echo ready", "exec sleep 3600"]
    holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(lines)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "ready\n"
        program = appliance.folder / "bin/snikket"
        program.parent.mkdir()
        appliance.program = put_program(
            program, f'#!/bin/sh\nexec nsenter --mount --target {holder.pid} -- {installation()}/bin/snikket "$@"\n')
        yield Replaceable(holder.pid)
    finally:
        appliance.end()
        holder.kill()
        holder.wait()
