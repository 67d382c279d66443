"""Which processes belong to an appliance, found in /proc and not by asking it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    uid: int
    command: str

    def kilobytes_pss(self) -> int:
        """Its share of memory: pages that n processes have in common count an n-th part."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        raise OSError("no Pss line")

    def kilobytes_resident(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise OSError("no VmRSS line")


def everybody() -> list[Process]:
    """Every process that has not ended; zombies have."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            state = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[0]
            if state in "ZX":
                continue
            uid = os.stat(f"/proc/{entry}").st_uid
            command = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            found.append(Process(int(entry), uid, command))
        except OSError:
            continue
    return found


def of_folder(folder: Path) -> list[Process]:
    """Those that run from `folder`, were started with a path in it, or have a file in it open."""
    return [process for process in everybody() if process.pid != os.getpid() and _touches(process, str(folder))]


def of_users(uids: set[int]) -> list[Process]:
    return [process for process in everybody() if process.uid in uids]


def _touches(process: Process, folder: str) -> bool:
    if folder in process.command:
        return True
    links = [f"/proc/{process.pid}/exe", f"/proc/{process.pid}/cwd"]
    try:
        links += [f"/proc/{process.pid}/fd/{number}" for number in os.listdir(f"/proc/{process.pid}/fd")]
    except OSError:
        pass
    for link in links:
        try:
            if os.readlink(link).startswith(folder):
                return True
        except OSError:
            continue
    return False
