"""One appliance: the real program with the real servers, in a folder and on ports of its own."""

import atexit
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from . import processes, stream, web
from .authority import Authority
from .nameserver import NameServer
from .people import Account
from .ports import Ports, free_block
from .processes import Process
from .waiting import Late, until

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("SNIKKET_PROGRAMS") or CHECKOUT / ".build/debug")
DOMAIN = "chat.example.org"
CONFIGURATION = f"SNIKKET_DOMAIN={DOMAIN}\nSNIKKET_ADMIN_EMAIL=admin@example.org\n"


class Unanswered(AssertionError, OSError):
    """`snikket status` had no answer: a failure, and for who waits something that is not yet true."""


class Appliance:
    """`snikket up` or `snikket try`, as a user of its own.

    When the tests run as root, everything is started as a user id that nobody has: what works here works without root.
    With `as_root`, `snikket` itself runs as root and gives each server its own user.
    """

    def __init__(self, folder: Path, *, verb: str = "up", configuration: str | None = CONFIGURATION,
                 settings: dict[str, str] | None = None, trust: Path | None = None, as_root: bool = False):
        self.folder = folder
        self.verb = verb
        self.settings = settings or {}
        self.domain = DOMAIN
        self.ports = Ports(free_block())
        self.sets_ports = True  # else the settings say which
        self.config = folder / "snikket.conf"
        self.state = folder / "state"
        self._trust = trust
        self.uid = os.geteuid() if as_root or os.geteuid() != 0 else _unused_uid()
        self.process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._spoken = threading.Condition()
        self._listener: threading.Thread | None = None
        self._heard: subprocess.Popen[str] | None = None  # the last one of which all has been heard
        folder.chmod(0o755)
        self.program = installation() / "bin/snikket"
        if configuration is not None:
            self.config.write_text(configuration)
        for name in ("state", "home"):
            (folder / name).mkdir()
            os.chown(folder / name, self.uid, self.uid if self.uid else 0)

    # Running it.

    def start(self, environment: dict[str, str] | None = None) -> "Appliance":
        assert self.process is None
        common = ["--state", str(self.state)]
        if self.sets_ports:
            common += ["--ports-from", str(self.ports.first)]
        if self.verb != "try":
            common += ["--config", str(self.config)]
        for name, value in self.settings.items():
            common += ["--set", f"{name}={value}"]
        if self._listener is not None:
            # What the one before said last is not said by this one.
            self._listener.join(5)
        with self._spoken:
            self._lines.clear()
        self.process = self._popen([self.verb, *common], environment=environment)
        self._listener = threading.Thread(target=self._listen, args=(self.process,), daemon=True)
        self._listener.start()
        return self

    def started(self, seconds: float = 60) -> "Appliance":
        """Starts it and waits until it says that it is ready."""
        self.start().line("ready ", seconds)
        return self

    def line(self, beginning: str, seconds: float) -> str:
        """The rest of the first line printed that begins so."""
        def found() -> str | None:
            return next((line for line in self._lines if line.startswith(beginning)), None)

        with self._spoken:
            self._spoken.wait_for(lambda: found() is not None or self._ended(), timeout=seconds)
            line = found()
        if line is None:
            word = f"it ended with {self.process.poll()}" if self.process and self._ended() else f"not within {seconds} s"
            raise Late(f"no line `{beginning}...`: {word}\n{self.everything_said()}")
        return line[len(beginning):].strip()

    @property
    def said(self) -> str:
        """What it has printed since it was last started, on standard output and error; all of it, when it has ended."""
        if self._listener is not None and (self.process is None or self.process.poll() is not None):
            self._listener.join(2)
        with self._spoken:
            return "\n".join(self._lines)

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds)

    def ended(self, seconds: float = 20) -> int:
        """Its exit code, when it has ended by itself and all that it printed has been heard."""
        assert self.process is not None
        code = self.process.wait(seconds)
        assert self._listener is not None
        self._listener.join(seconds)
        self.process = None
        return code

    def processes(self) -> list[Process]:
        """Every process of it, whoever started it."""
        if self.uid != os.geteuid():
            return processes.of_users({self.uid})
        return processes.of_folder(self.folder)

    def end(self) -> None:
        """Makes sure that nothing of it is left, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        for process in self.processes():
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # Asking it.

    def snikket(self, *arguments: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
        """Another command of the program, with this appliance's settings and state."""
        process = self._popen([*arguments, "--config", str(self.config), "--state", str(self.state)], errors_apart=True)
        out, error = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(arguments, process.returncode, out, error)

    def status(self) -> dict[str, Any]:
        answer = self.snikket("status", "--json")
        try:
            return json.loads(answer.stdout)
        except json.JSONDecodeError:
            raise Unanswered(f"`snikket status --json` said: {answer.stdout!r} {answer.stderr!r}") from None

    def service(self, name: str) -> dict[str, Any]:
        return next(service for service in self.status()["services"] if service["name"] == name)

    def healthy(self, seconds: float = 30) -> dict[str, Any]:
        """The status, once it is healthy."""
        latest: dict[str, Any] = {}

        def good() -> bool:
            nonlocal latest
            latest = self.status()
            return latest["healthy"]

        try:
            until(good, seconds, "the appliance is healthy")
        except Late as late:
            raise Late(f"{late}: {json.dumps(latest)}") from None
        return latest

    def invite(self, *arguments: str) -> dict[str, Any]:
        answer = self.snikket("invite", "create", "--json", *arguments)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def account(self, username: str, password: str, direct_tls: bool = False) -> Account:
        port = self.ports.client_tls if direct_tls else self.ports.client
        return Account(username, password, self.domain, port, self.trust, direct_tls)

    def get(self, path: str, **more: Any) -> web.Answer:
        """A page over HTTPS."""
        return web.ask(f"https://{self.domain}:{self.ports.https}{path}", self.trust, **more)

    def open_stream(self, **more: Any) -> stream.Stream:
        return stream.Stream(self.domain, self.ports.client, self.trust, **more)

    @property
    def trust(self) -> str:
        """The PEM file of the root that people trust."""
        if self._trust is None:
            copy = self.folder / "root.pem"
            shutil.copy(next(self.state.glob("certificates/**/ca.pem")), copy)
            self._trust = copy
        return str(self._trust)

    def everything_said(self) -> str:
        """Its output and its servers' logs: for the report of a failure."""
        parts = [f"--- snikket {self.verb}", self.said]
        for log in sorted(self.state.glob("logs/*")):
            if log.is_file():
                parts += [f"--- {log.name}", log.read_text(errors="replace")[-6000:]]
        return "\n".join(parts)

    # How.

    def _popen(self, arguments: list[str], errors_apart: bool = False, program: str = "snikket",
               environment: dict[str, str] | None = None, output: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        variables = {
            "PATH": f"{self.program.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder / "home"), "LANG": "C.UTF-8", "NO_COLOR": "1", **(environment or {})}
        who: dict[str, Any] = {}
        if self.uid != os.geteuid():
            who = {"user": self.uid, "group": self.uid, "extra_groups": []}
        return subprocess.Popen(
            [str(self.program.with_name(program)), *arguments], stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.PIPE if errors_apart else subprocess.STDOUT, text=True, errors="replace",
            cwd=self.folder, env=variables, **who)

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._spoken:
                self._lines.append(line.rstrip("\n"))
                self._spoken.notify_all()
        process.wait()
        with self._spoken:
            self._heard = process
            self._spoken.notify_all()

    def _ended(self) -> bool:
        """Whether nothing more will be printed."""
        return self.process is None or self._heard is self.process


@functools.cache
def installation() -> Path:
    """The programs and templates laid out as on a real machine: a checkout may lie where other users cannot read."""
    folder = Path(tempfile.mkdtemp(prefix="snikket-installation-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    (folder / "bin").mkdir()
    # By another process, as put_program() has it.
    subprocess.run(["cp", *(str(PROGRAMS / name) for name in ("snikket", "snikket-certs")), str(folder / "bin")], check=True)
    shutil.copytree(CHECKOUT / "templates", folder / "share/snikket/templates")
    return folder


# It has no process until its appliance is started, which others must not take for nobody's.
_given_uids: deque[int] = deque(maxlen=400)


def _unused_uid() -> int:
    """A user id that no process has, no account names and no other appliance was given of late."""
    taken = {process.uid for process in processes.everybody()} | set(_given_uids)
    uid = random.choice([uid for uid in range(59_000, 59_900) if uid not in taken])
    _given_uids.append(uid)
    return uid


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder that everybody may enter, and that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"snikket-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def with_pebble(
        name: str, *, own_dns: bool = False, pebble: str = "pebble", pebble_environment: dict[str, str] | None = None,
        **options: Any) -> Iterator[tuple[Appliance, Authority]]:
    """An appliance, not yet started, that gets its certificate from a Pebble of its own; with a zone that can be changed, if wanted."""
    with scratch(name) as folder, ExitStack() as around:
        appliance = Appliance(folder, **options)
        dns = around.enter_context(NameServer(folder / "dns", appliance.uid)) if own_dns else None
        with Authority(folder / "authority", appliance.ports.http, dns, pebble=pebble, environment=pebble_environment) as authority:
            appliance.settings |= {
                "SNIKKET_ACME_DIRECTORY": authority.directory, "SNIKKET_ACME_CA_BUNDLE": str(authority.bundle)}
            appliance._trust = authority.root
            try:
                yield appliance, authority
            finally:
                appliance.end()


@contextmanager
def without_pebble(name: str, **options: Any) -> Iterator[Appliance]:
    """An appliance, not yet started, with another source of certificates."""
    with scratch(name) as folder:
        appliance = Appliance(folder, **options)
        try:
            yield appliance
        finally:
            appliance.end()
