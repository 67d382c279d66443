"""Running `snikket-certs issue` beside an authority that misbehaves, and looking at everything it leaves behind."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from .appliance import PROGRAMS, scratch
from .authority import Authority
from .misbehaviour import Fault, MisbehavingAuthority
from .ports import free_block
from .waiting import until

# Runs a program and writes down how it ended and what it took. Small: what a process is started from counts in its ru_maxrss.
_LAUNCHER = """
import os, sys, time
began = time.monotonic()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as report:
    report.write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss} {time.monotonic() - began}")
"""


@dataclass
class Run:
    """How one issuance went."""

    code: int
    kilobytes: int
    seconds: float
    lines: list[str]
    said: str
    proxy: MisbehavingAuthority
    folder: Path
    pair_before: dict[str, str]
    pair_after: dict[str, str]
    left_in_webroot: list[str]

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.lines]

    @property
    def failure(self) -> dict:
        failed = [event for event in self.events if event["event"] == "failed"]
        assert len(failed) == 1 and self.events[-1] == failed[0], self.lines
        return failed[0]

    def gaps(self, step: str) -> list[float]:
        """Seconds between one request of this step and the next."""
        times = [asked.at for asked in self.proxy.of(step)]
        return [after - before for before, after in zip(times, times[1:])]


class Bench:
    """An authority, a web server that serves each case's own folder, and a good certificate to begin with."""

    def __init__(self, folder: Path, authority: Authority, http_port: int):
        self.folder = folder
        self.authority = authority
        self.http_port = http_port
        self._count = 0
        self._lock = threading.Lock()
        self.good = folder / "good"

    def names(self, case: str) -> list[str]:
        return [f"{case}.example.org", f"groups.{case}.example.org", f"share.{case}.example.org"]

    def issue(self, faults: dict[str, Fault], *, timeout: int = 25, answer_timeout: int = 2, more: list[str] | None = None,
              names: list[str] | Callable[[list[str]], list[str]] | None = None, fresh: bool = False, through_proxy: bool = True, webroot: bool = True,
              proxy: MisbehavingAuthority | None = None,
              output: Path | None = None, state: Path | None = None) -> Run:
        """One issuance into a folder that already holds a good certificate, unless it is to be `fresh`.

        `names`: others than the case's own, or what to make of those.
        """
        with self._lock:
            self._count += 1
            case = f"c{self._count}"
        folder = self.folder / case
        (www := self.folder / "www" / case).mkdir(parents=True)
        folder.mkdir()
        output = output or folder / "output"
        if not fresh and not output.exists():
            shutil.copytree(self.good, output, symlinks=True)
        with nullcontext(proxy) if proxy else MisbehavingAuthority(self.authority, faults) as proxy:
            command = [
                str(PROGRAMS / "snikket-certs"), "issue", "--directory", proxy.directory if through_proxy else self.authority.directory,
                "--ca-bundle", str(self.authority.bundle), "--email", "admin@example.org",
                "--state", str(state or folder / "state"), "--output", str(output),
                "--timeout", str(timeout), "--answer-timeout", str(answer_timeout), *(more or [])]
            for name in names(self.names(case)) if callable(names) else names or self.names(case):
                command += ["--name", name]
            if webroot:
                command += ["--webroot", str(www)]
            before = contents(output)
            code, kilobytes, seconds, out, err = self._launch(folder, command, timeout + 15)
        return Run(code, kilobytes, seconds, out.splitlines(), err, proxy, folder, before, contents(output),
                   [str(path) for path in www.rglob("*") if not path.is_dir()])

    def _launch(self, folder: Path, command: list[str], limit: float) -> tuple[int, int, float, str, str]:
        report = folder / "usage"
        launched = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(report), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = launched.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(launched.pid, signal.SIGKILL)
            out, err = launched.communicate()
            raise AssertionError(f"it still runs after {limit} s: {out!r} {err!r}") from None
        code, kilobytes, seconds = report.read_text().split()
        return int(code), int(kilobytes), float(seconds), out.decode(), err.decode()


@contextmanager
def bench(pebble: str = "pebble", **behaviour: str) -> Iterator[Bench]:
    """A bench whose Pebble has these variables set."""
    with scratch("bad-authority") as folder:
        port = free_block(2)
        with Authority(folder / "authority", port, pebble=pebble, environment=behaviour) as authority, _nginx(folder, port):
            made = Bench(folder, authority, port)
            first = made.issue({}, fresh=True)
            assert first.code == 0, (first.lines, first.said, authority.log[-2000:])
            shutil.copytree(first.folder / "output", made.good, symlinks=True)
            yield made


@contextmanager
def _nginx(folder: Path, port: int) -> Iterator[None]:
    (folder / "www").mkdir()
    paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(f"""
        daemon off; {user} pid {folder}/nginx.pid; error_log stderr; worker_processes 1; events {{ worker_connections 512; }}
        http {{
            access_log {folder}/access.log; {paths}
            server {{
                listen 127.0.0.1:{port};
                server_name ~^(?:[a-z]+\\.)?(?<case>c[0-9]+)\\.example\\.org$;
                root {folder}/www/$case;
            }}
        }}""")
    with open(folder / "nginx.log", "wb") as log:
        server = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until((folder / "nginx.pid").exists, 20, "nginx runs")
        yield
    finally:
        server.terminate()
        server.wait()


def contents(folder: Path) -> dict[str, str]:
    """Every file and link of a certificate folder with what is in it; the lock is no content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = "-> " + os.readlink(path)
        elif path.is_file() and path.name != ".lock":
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def unfit(text: str) -> list[str]:
    """Characters that have no business on a terminal or a page: controls, and those that turn the direction of writing."""
    return [hex(ord(letter)) for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs")]


def public_key(path: Path, kind: str) -> str:
    arguments = ["x509", "-noout", "-pubkey"] if kind == "x509" else ["pkey", "-pubout"]
    return subprocess.run(["openssl", *arguments, "-in", str(path)], capture_output=True, text=True, check=True).stdout
