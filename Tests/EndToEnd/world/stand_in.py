"""Programs in place of the servers' own, which behave as a test says: stand_in_program.py has the ways to behave."""

import contextlib
import ctypes
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .appliance import Appliance, installation
from .programs import put_program

PROGRAM = Path(__file__).with_name("stand_in_program.py")
# A server's program, where it lies, and the argument by which a real start is known.
_SERVERS = {
    "prosody": ("prosody", "/usr/bin/prosody", "-F"), "nginx": ("nginx", "/usr/sbin/nginx", "daemon off;"),
    "coturn": ("turnserver", "/usr/bin/turnserver", "-c")}
_UNSHARE_MOUNTS = 0x00020000  # CLONE_NEWNS, sched.h


class StandIn:
    """What one server is to do from its next start on; nothing said: it serves."""

    def __init__(self, appliance: Appliance, name: str):
        self.name = name
        self.notes_folder = appliance.folder / "notes"
        if not self.notes_folder.exists():
            self.notes_folder.mkdir()
            os.chown(self.notes_folder, appliance.uid, appliance.uid)
            self.notes_folder.chmod(0o777)

    def behave(self, word: str) -> None:
        """The name of a function of stand_in_program.py; empty: be the server."""
        (self.notes_folder / f"{self.name}.word").write_text(word)

    def notes(self, kind: str) -> list[dict[str, Any]]:
        with contextlib.suppress(FileNotFoundError):
            return [json.loads(line) for line in (self.notes_folder / f"{self.name}.{kind}").read_text().splitlines()]
        return []

    def put(self, place: Path, real: Path | str, argument: str, **more: Any) -> None:
        place.with_name(place.name + ".json").write_text(
            json.dumps({"name": self.name, "real": str(real), "server": argument, "notes": str(self.notes_folder), **more}))
        put_program(place, PROGRAM.read_text())


def portal_stand_in(appliance: Appliance) -> StandIn:
    """The portal is the program `snikket` again: an installation of the appliance's own, in which `snikket` is a stand-in."""
    folder = appliance.folder / "bin"
    folder.mkdir()
    os.link(installation() / "bin/snikket", folder / "snikket-itself")
    os.link(installation() / "bin/snikket-certs", folder / "snikket-certs")
    (appliance.folder / "share").symlink_to(installation() / "share")
    appliance.program = folder / "snikket"
    portal = StandIn(appliance, "portal")
    portal.put(folder / "snikket", folder / "snikket-itself", "--file", places=[str(appliance.state / "run/portal/work/portal.sock")])
    return portal


class StagedAppliance(Appliance):
    """As root: `snikket up` finds stand-ins where the servers' programs are looked for first, and nobody else on this machine does."""

    def stand_in(self, name: str, places: list[int | str], datagrams: int | None = None) -> StandIn:
        program, real, argument = _SERVERS[name]
        self._folder.mkdir(exist_ok=True)
        made = StandIn(self, name)
        made.put(self._folder / program, real, argument, places=places, datagrams=datagrams)
        return made

    @property
    def _folder(self) -> Path:
        return self.folder / "sbin"

    def _popen(self, *arguments: Any, **options: Any) -> "subprocess.Popen[str]":
        # Of this process, one thread leaves for a mount namespace of its own; what it starts inherits that.
        with ThreadPoolExecutor(1, initializer=self._enter) as elsewhere:
            return elsewhere.submit(super()._popen, *arguments, **options).result()

    def _enter(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(_UNSHARE_MOUNTS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        private, bind = 1 << 18 | 1 << 14, 1 << 12  # MS_PRIVATE | MS_REC, MS_BIND
        for source, target, flags in ((None, b"/", private), (os.fsencode(self._folder), b"/usr/local/sbin", bind)):
            if library.mount(source, target, None, flags, None) != 0:
                raise OSError(ctypes.get_errno(), f"mount on {target.decode()}")
