"""The program that keeps certificates, killed or refused by the disk at each call by which it changes a file.

Usually some of the calls, others each time; `--long` takes every single one.
"""

import errno
import functools
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from world.appliance import installation, scratch
from world.authority import Authority
from world.fault import Fault, assert_three_parts, assert_tidy, calls, pair, some
from world.ports import free_block

NAMES = ["--name", "chat.example.org", "--name", "groups.chat.example.org"]


@dataclass
class Job:
    """A command of `snikket-certs`, and what is on the disk before it: copied afresh for each run."""

    folder: Path
    arguments: list[str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def output(self) -> Path:
        return self.home / "certificates"

    def remember(self) -> None:
        shutil.rmtree(self.folder / "before", ignore_errors=True)
        shutil.copytree(self.home, self.folder / "before", symlinks=True)

    def reset(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.folder / "before", self.home, symlinks=True)

    def run(self, fault: Fault | None = None, log: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **(fault.environment(log) if fault else {})}
        return subprocess.run(
            [str(installation() / "bin/snikket-certs"), *self.arguments], capture_output=True, text=True, timeout=60, env=environment)

    def ran(self) -> None:
        answer = self.run()
        assert answer.returncode == 0, answer.stderr

    def count(self) -> int:
        """How many calls there are."""
        log = self.folder / "calls.log"
        log.unlink(missing_ok=True)
        answer = self.run(Fault(self.home), log)
        assert answer.returncode == 0, answer.stderr
        return len(calls(log))


@pytest.fixture(params=["first", "renewal", "plain-files"])
def job(request: pytest.FixtureRequest) -> Iterator[Job]:
    """Installs a certificate without a network: into an empty folder, over one of our own, over two plain files of another program."""
    with scratch("step") as folder:
        home = folder / "home"
        internal = ["internal", "--state", str(home / "certificates"), "--output", str(home / "certificates"), *NAMES]
        job = Job(folder, internal)
        home.mkdir()
        if request.param == "renewal":
            job.ran()
            job.ran()
        if request.param == "plain-files":
            for name in ("given", "certificates"):
                job.ran()
                (home / name if name == "given" else folder / "plain").mkdir()
                for file in ("fullchain.pem", "privkey.pem"):
                    shutil.copy(job.output / file, (home / name if name == "given" else folder / "plain") / file)
            shutil.rmtree(job.output)
            (folder / "plain").rename(job.output)
            job.arguments = [
                "inspect", "--fullchain", str(home / "given/fullchain.pem"), "--key", str(home / "given/privkey.pem"),
                "--output", str(job.output), *NAMES]
        job.remember()
        yield job


def check_after(job: Job, old: str | None, fault: Fault) -> str | None:
    """What is on the disk after a run that went wrong; returns the certificate in place."""
    found = pair(job.output) if job.output.exists() else None
    if old is not None:
        assert found is not None, f"{fault}: the old pair is gone"
    return found


def check_recovery(job: Job, fault: Fault) -> None:
    """A plain run again: a valid certificate, and nothing else left."""
    answer = job.run()
    assert answer.returncode == 0, f"{fault}: {answer.stderr}"
    assert_tidy(job.output, extra={".lock", "authority"} & set(os.listdir(job.output)))
    authority = job.output / "authority"
    if authority.exists():
        assert sorted(os.listdir(authority)) == ["ca.key", "ca.pem"]
    left = [str(path) for path in job.home.rglob("*") if "new" in path.name]
    assert not left, f"{fault}: {left}"


def check_refusal(job: Job, answer: subprocess.CompletedProcess[str], old: str | None, fault: Fault) -> None:
    """A run that the disk did not let do its work says so, in three parts; what it could do without is not spoken of."""
    found = check_after(job, old, fault)
    if answer.returncode == 0:
        assert found not in (None, old), f"{fault}: reported success, and nothing is new"
        return
    assert answer.returncode == 1, f"{fault}: {answer}"
    assert_three_parts(answer.stderr, fault)
    failed = [event for event in map(json.loads, answer.stdout.splitlines()) if event["event"] == "failed"]
    assert failed, f"{fault}: no event says that it failed"


def test_killed_at_any_call(job: Job, long: bool) -> None:
    count = job.count()
    for at in some(count, long, 8):
        job.reset()
        old = pair(job.output) if job.output.exists() else None
        fault = Fault(job.home, at)
        answer = job.run(fault)
        assert answer.returncode == -signal.SIGKILL, f"{fault} of {count}: {answer}"
        check_after(job, old, fault)
        check_recovery(job, fault)


@pytest.mark.parametrize(
    ("error", "for_ever"), [(errno.ENOSPC, False), (errno.ENOSPC, True), (errno.EIO, False)], ids=["full-once", "full", "broken"])
def test_a_disk_that_refuses_any_call(job: Job, error: int, for_ever: bool, long: bool) -> None:
    count = job.count()
    for at in some(count, long, 3):
        job.reset()
        old = pair(job.output) if job.output.exists() else None
        fault = Fault(job.home, at, error, for_ever)
        answer = job.run(fault)
        check_refusal(job, answer, old, fault)
        check_recovery(job, fault)


@pytest.fixture(params=["first", "renewal"])
def issuance(request: pytest.FixtureRequest) -> Iterator[tuple[Job, Path]]:
    """Gets a certificate from Pebble; the answers to its challenges are files that a web server serves."""
    with scratch("issue") as folder:
        home, port = folder / "home", free_block(2)
        web = home / "web"
        challenges = web / ".well-known/acme-challenge"
        challenges.mkdir(parents=True)
        with Authority(folder / "authority", port) as authority, serving(web, port):
            job = Job(folder, [
                "issue", "--directory", authority.directory, "--ca-bundle", str(authority.bundle), "--email", "admin@example.org",
                "--webroot", str(web), "--state", str(home / "acme"), "--output", str(home / "certificates"), *NAMES])
            if request.param == "renewal":
                job.ran()
                job.ran()
            job.remember()
            yield job, challenges


@contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    """A web server for plain files."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def check_issued(job: Job, challenges: Path, fault: Fault) -> None:
    check_recovery(job, fault)
    assert not os.listdir(challenges), f"{fault}: stale challenges {os.listdir(challenges)}"
    accounts = [sorted(os.listdir(folder)) for folder in (job.home / "acme").iterdir()]
    assert accounts == [["account.json", "account.pem"]], f"{fault}: {accounts}"


def test_an_issuance_killed_at_any_call(issuance: tuple[Job, Path], long: bool) -> None:
    job, challenges = issuance
    count = job.count()
    for at in some(count, long, 10):
        job.reset()
        old = pair(job.output) if job.output.exists() else None
        fault, log = Fault(job.home, at), job.folder / "calls.log"
        log.unlink(missing_ok=True)
        answer = job.run(fault, log)
        # How often an authority is asked differs, and so does what is written meanwhile.
        assert answer.returncode == -signal.SIGKILL or answer.returncode == 0 and len(calls(log)) < at, f"{fault} of {count}: {answer}"
        check_after(job, old, fault)
        check_issued(job, challenges, fault)


@pytest.mark.parametrize(("error", "for_ever"), [(errno.ENOSPC, True), (errno.EIO, False)], ids=["full", "broken"])
def test_an_issuance_on_a_disk_that_refuses_any_call(issuance: tuple[Job, Path], error: int, for_ever: bool, long: bool) -> None:
    job, challenges = issuance
    count = job.count()
    for at in some(count, long, 3):
        job.reset()
        old = pair(job.output) if job.output.exists() else None
        fault = Fault(job.home, at, error, for_ever)
        check_refusal(job, job.run(fault), old, fault)
        check_issued(job, challenges, fault)
