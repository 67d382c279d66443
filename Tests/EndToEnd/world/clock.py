"""A clock that a test can set, for one appliance and all its servers: see clock.c.

Not libfaketime, although it does the same: it asks a file for the time at every call, keeps what it knows in shared memory that one user makes and
another may not open, and our servers' environment, which is made from nothing, would lose it.
"""

import struct
import time
from pathlib import Path

from .fault import library

DAY = 86_400
YEAR = 365 * DAY


class Clock:
    """What a program and everything it starts take for the time, once they are started with ``environment``."""

    def __init__(self, folder: Path):
        self._file = folder / "clock"
        self.environment = {"LD_PRELOAD": str(library("clock")), "CLOCK_FILE": str(self._file)}
        self._file.write_bytes(bytes(8))
        self._file.chmod(0o644)

    def set(self, seconds: int) -> None:
        """How wrong it is from now on; 0 is right."""
        with open(self._file, "r+b") as file:
            file.write(struct.pack("=q", seconds))

    @property
    def now(self) -> int:
        """What it says."""
        return int(time.time()) + struct.unpack("=q", self._file.read_bytes())[0]
