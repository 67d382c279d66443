"""What a test does to a running process, and what /proc says about it and its kin (proc(5))."""

import os
import platform
from pathlib import Path

from .waiting import until

# pause(2) again and again. A signal's handler runs, and then it is as before: what a deadlock looks like from outside.
_PAUSES = {
    "x86_64": bytes.fromhex("b8220000000f05ebf7"),  # mov eax, 34; syscall; jmp back
    # ppoll(0, 0, 0, 0): mov x0..x4, 0; mov x8, 73; svc 0; b back
    "aarch64": bytes.fromhex("000080d2010080d2020080d2030080d2040080d2280980d2010000d4f9ffff17"),
}


def deadlock(pid: int, thread: str | None = None) -> None:
    """Every thread of it, or the one of that name, waits for ever, from the end of the system call on that it is in."""
    done: set[str] = set()
    while new := _threads(pid, thread) - done:
        for number in new:
            _replace_what_follows(pid, int(number))
        done |= new
    assert done, f"process {pid} has no thread {thread}"


def _threads(pid: int, name: str | None) -> set[str]:
    def is_one(number: str) -> bool:
        try:
            return name is None or Path(f"/proc/{pid}/task/{number}/comm").read_text().strip() == name
        except (FileNotFoundError, ProcessLookupError):
            return False

    return {number for number in os.listdir(f"/proc/{pid}/task") if is_one(number)}


def _replace_what_follows(pid: int, thread: int) -> None:
    """Writes over the code to which a thread returns, unless it has ended: that page becomes the process's own."""
    def place() -> int | str | None:
        try:
            words = Path(f"/proc/{pid}/task/{thread}/syscall").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            return "gone"
        return None if words == ["running"] else int(words[-1], 16)

    code = until(place, 10, f"thread {thread} of process {pid} rests")
    if code == "gone":
        return
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(code)
        memory.write(_PAUSES[platform.machine()])


def state(pid: int) -> str:
    """One letter: R, S, D, T, Z; X when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def lives(pid: int) -> bool:
    return state(pid) not in "ZX"


def children(pid: int) -> list[int]:
    """Zombies too."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry))
        except OSError:
            continue
    return found


def zombies(pid: int) -> list[int]:
    """The children of it that ended and that it has not waited for."""
    return [child for child in children(pid) if state(child) == "Z"]


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
