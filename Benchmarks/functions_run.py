"""Which functions a program runs: a breakpoint at the beginning of each, which is taken away when it is met (ptrace(2), amd64)."""

import ctypes
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

_TRACEME, _CONT, _GETREGS, _SETREGS, _DETACH, _SETOPTIONS = 0, 7, 12, 13, 17, 0x4200
# New threads and processes are traced too (PTRACE_O_TRACEFORK, VFORK, CLONE, EXEC), until they are another program.
_OPTIONS = 0x2 | 0x4 | 0x8 | 0x10
_EXEC_HAPPENED = signal.SIGTRAP | 4 << 8
_RIP = 16

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, pid: int, data: object = None) -> None:
    if _libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request} of {pid}")


def _functions(program: str) -> dict[int, list[str]]:
    """The functions' names by their addresses in the file."""
    names: dict[int, list[str]] = {}
    for line in subprocess.run(["nm", "--defined-only", program], capture_output=True, text=True, check=True).stdout.splitlines():
        if match := re.fullmatch(r"([0-9a-f]+) [tTwW] (\S+)", line):
            names.setdefault(int(match[1], 16), []).append(match[2])
    return names


class _Run:
    def __init__(self, program: str, arguments: list[str]) -> None:
        self.names = _functions(program)
        # One set for each phase of the run.
        self.met: list[set[int]] = [set()]
        self.text: list[tuple[int, bytes]] = []
        self.pid = os.fork()
        if self.pid == 0:
            _libc.ptrace(_TRACEME, 0, None, None)
            os.execv(program, [program, *arguments])
        os.waitpid(self.pid, 0)
        _ptrace(_SETOPTIONS, self.pid, _OPTIONS)
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR)
        self._plant(program)

    def _plant(self, program: str) -> None:
        maps = [line.split() for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines() if line.endswith(program)]
        self.base = min(int(fields[0].split("-")[0], 16) - int(fields[2], 16) for fields in maps)
        ranges = [tuple(int(end, 16) for end in fields[0].split("-")) for fields in maps if "x" in fields[1]]
        self.original: dict[int, bytes] = {}
        for start, end in ranges:
            text = bytearray(os.pread(self.memory, end - start, start))
            for address in self.names:
                if start <= address + self.base < end:
                    offset = address + self.base - start
                    self.original[address + self.base] = bytes(text[offset:offset + 1])
                    text[offset] = 0xCC
            self.text.append((start, bytes(text)))
            os.pwrite(self.memory, text, start)

    def begin_phase(self) -> None:
        """From now on everything counts once more."""
        self.met.append(set())
        for start, text in self.text:
            os.pwrite(self.memory, text, start)

    def names_of(self, met: set[int]) -> list[str]:
        return sorted(name for address in met for name in self.names[address - self.base])

    def follow(self) -> int:
        """Returns how the first process ended (wait(2))."""
        _ptrace(_CONT, self.pid)
        while True:
            pid, status = os.waitpid(-1, 0x40000000)  # __WALL
            if os.WIFSTOPPED(status):
                self._stopped(pid, status >> 8)
            elif pid == self.pid:
                return status

    def _stopped(self, pid: int, event: int) -> None:
        try:
            number = 0
            if event == signal.SIGTRAP and self._met(pid):
                pass
            elif event == _EXEC_HAPPENED and pid != self.pid:
                return _ptrace(_DETACH, pid)
            elif event < 0x100 and event not in (signal.SIGSTOP, signal.SIGTRAP):
                number = event
            _ptrace(_CONT, pid, number)
        except ProcessLookupError:
            pass  # it was killed meanwhile

    def _met(self, pid: int) -> bool:
        registers = (ctypes.c_ulong * 27)()
        _ptrace(_GETREGS, pid, registers)
        address = registers[_RIP] - 1
        if address not in self.original:
            return False
        self.met[-1].add(address)
        # Its own memory: a child that was forked has a copy.
        memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        os.pwrite(memory, self.original[address], address)
        os.close(memory)
        registers[_RIP] = address
        _ptrace(_SETREGS, pid, registers)
        return True


def main() -> int:
    """functions_run.py LIST PROGRAM [ARGUMENT...]: runs it to its end, and writes the names into a file: first what ran last.

    SIGUSR1 ends a phase: what runs after it stands above what ran before.
    """
    target, program, *arguments = sys.argv[1:]
    run = _Run(program, arguments)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(run.pid, number))
    signal.signal(signal.SIGUSR1, lambda *_: run.begin_phase())
    status = run.follow()
    names = dict.fromkeys(name for met in reversed(run.met) for name in run.names_of(met))
    Path(target).write_text("\n".join(names) + "\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
