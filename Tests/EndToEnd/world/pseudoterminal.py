"""A terminal of our own for one program, as a person would sit before it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .waiting import Late

FRAME = "\x1b[H"


class Pseudoterminal:
    def __init__(self, command: list[str], rows: int = 40, columns: int = 120, **options: Any):
        self.ours, self.theirs = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.theirs)
        self.written = ""
        self.process = subprocess.Popen(
            command, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **options)

    def resize(self, rows: int, columns: int) -> None:
        # The kernel tells whoever has it as their terminal (SIGWINCH).
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def frames(self) -> list[str]:
        """Each picture that was drawn whole, without its colours."""
        return [plain(frame) for frame in self.written.split(FRAME)[1:] if frame.endswith("\x1b[J") or "\x1b[J" in frame]

    def until(self, condition: Any, seconds: float, what: str) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            self._read(0.05)
            if value := condition():
                return value
            if time.monotonic() > deadline:
                raise Late(f"{what}: not within {seconds} s; the last picture was\n{(self.frames() or [self.written])[-1]}")

    def until_shown(self, words: str, seconds: float = 20) -> str:
        """The first new picture with these words."""
        seen = len(self.frames())
        return self.until(lambda: next((frame for frame in self.frames()[seen:] if words in frame), None), seconds, f"it shows `{words}`")

    def end(self, seconds: float = 10) -> int:
        """Its exit code, once it has ended by itself."""
        self.until(lambda: self.process.poll() is not None, seconds, "it ends")
        self._read(0.1)
        return self.process.returncode

    def _read(self, seconds: float) -> None:
        while select.select([self.ours], [], [], seconds)[0]:
            self.written += os.read(self.ours, 65536).decode(errors="replace")
            seconds = 0


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


@contextmanager
def terminal(command: list[str], **options: Any) -> Iterator[Pseudoterminal]:
    one = Pseudoterminal(command, **options)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGKILL)
            one.process.wait(10)
        os.close(one.ours)
        os.close(one.theirs)
