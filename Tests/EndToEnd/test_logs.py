"""`snikket logs --follow`: every line once, whatever becomes of the files meanwhile."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from world.appliance import Appliance, scratch
from world.waiting import Late, until


@pytest.fixture
def idle() -> Iterator[Appliance]:
    """Only its folders: nothing runs, and the tests write the logs themselves."""
    with scratch("logs") as folder:
        appliance = Appliance(folder)
        (appliance.state / "logs").mkdir()
        for path in (appliance.state, appliance.state / "logs"):
            os.chown(path, appliance.uid, appliance.uid)
        yield appliance


class Log:
    """The log of one server, as `snikket up` writes it."""

    def __init__(self, appliance: Appliance, name: str):
        self.path: Path = appliance.state / f"logs/{name}.log"
        self.second = 0

    def say(self, *lines: str) -> None:
        with self.path.open("a") as file:
            for line in lines:
                file.write(f"2026-01-02T03:04:{self.second:02}.000Z {line}\n")
                self.second += 1
        self.path.chmod(0o644)


class Following:
    def __init__(self, process: "subprocess.Popen[str]"):
        self.process = process
        self.text = ""

    def until(self, *words: str, seconds: float = 10) -> list[str]:
        """Everything so far, once each of these has been printed."""
        deadline = time.monotonic() + seconds
        while not all(word in self.text for word in words):
            if time.monotonic() > deadline:
                raise Late(f"{words}: not within {seconds} s\n{self.text}")
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                self.text += os.read(self.process.stdout.fileno(), 65536).decode()
        return self.text.splitlines()


@contextmanager
def following(appliance: Appliance, *arguments: str) -> Iterator[Following]:
    process = appliance._popen(["logs", "--follow", "--state", str(appliance.state), *arguments], errors_apart=True)
    try:
        yield Following(process)
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_new_lines_come_at_once_and_each_once(idle: Appliance) -> None:
    log = Log(idle, "prosody")
    log.say("old")
    with following(idle, "prosody") as follow:
        assert follow.until("old") == ["2026-01-02T03:04:00.000Z  old"]
        log.say("one", "two")
        lines = follow.until("two")
        assert lines == ["2026-01-02T03:04:00.000Z  old", "2026-01-02T03:04:01.000Z  one", "2026-01-02T03:04:02.000Z  two"]


def test_nothing_is_lost_and_nothing_comes_twice_when_a_log_is_rotated(idle: Appliance) -> None:
    log = Log(idle, "prosody")
    log.say("before")
    with following(idle, "prosody") as follow:
        follow.until("before")
        for turn in range(3):
            log.say(f"last {turn}")
            log.path.rename(f"{log.path}.1")
            log.say(f"first {turn}")
        lines = follow.until("first 2")
        said = [line.split("  ", 1)[1] for line in lines]
        # A file that is renamed twice between two looks is gone before it was read: what is left comes once, and in order.
        assert said[0] == "before" and said[-1] == "first 2"
        assert len(set(said)) == len(said)


def test_a_rotation_between_two_looks_loses_nothing(idle: Appliance) -> None:
    log = Log(idle, "prosody")
    log.say("before")
    with following(idle, "prosody") as follow:
        follow.until("before")
        for turn in range(3):
            log.say(f"last {turn}")
            log.path.rename(f"{log.path}.1")
            log.say(f"first {turn}")
            follow.until(f"first {turn}")
        said = [line.split("  ", 1)[1] for line in follow.text.splitlines()]
        assert said == ["before", "last 0", "first 0", "last 1", "first 1", "last 2", "first 2"]


def test_a_log_that_is_emptied_in_its_place_goes_on(idle: Appliance) -> None:
    log = Log(idle, "prosody")
    log.say("a long line before it is emptied, longer than what comes after it")
    with following(idle, "prosody") as follow:
        follow.until("longer than")
        os.truncate(log.path, 0)
        log.say("fresh")
        assert [line.split("  ", 1)[1] for line in follow.until("fresh")][-1] == "fresh"


def test_a_log_that_is_not_there_yet_is_followed_when_it_is(idle: Appliance) -> None:
    with following(idle) as follow:
        Log(idle, "nginx").say("here")
        assert follow.until("here") == ["2026-01-02T03:04:00.000Z  nginx    here"]


def test_only_the_named_servers_and_only_so_many_lines(idle: Appliance) -> None:
    for name in ("prosody", "nginx", "portal"):
        Log(idle, name).say(*[f"{name} {number}" for number in range(5)])
    answer = idle.snikket("logs", "nginx", "--lines", "2")
    assert answer.stdout.splitlines() == ["2026-01-02T03:04:03.000Z  nginx 3", "2026-01-02T03:04:04.000Z  nginx 4"]
    answer = idle.snikket("logs", "nginx", "portal", "--lines", "3")
    assert [line.split("  ")[0][17:19] for line in answer.stdout.splitlines()] == ["03", "04", "04"]
    assert "prosody" not in answer.stdout
    assert idle.snikket("logs", "--lines", "0").stdout == ""
    wrong = idle.snikket("logs", "apache")
    assert wrong.returncode == 64 and "apache" in wrong.stderr


def test_scripts_get_an_object_a_line(idle: Appliance) -> None:
    Log(idle, "nginx").say('a "quote" \\ and \x1b[31m')
    answer = idle.snikket("logs", "--json")
    assert [json.loads(line) for line in answer.stdout.splitlines()] == [
        {"service": "nginx", "moment": "2026-01-02T03:04:00.000Z", "text": 'a "quote" \\ and \x1b[31m'}]


def test_a_line_without_its_end_waits_for_it(idle: Appliance) -> None:
    log = Log(idle, "prosody")
    log.say("whole")
    with following(idle, "prosody") as follow:
        follow.until("whole")
        with log.path.open("a") as file:
            file.write("2026-01-02T03:04:09.000Z half")
            file.flush()
            assert not select.select([follow.process.stdout], [], [], 0.5)[0], "half a line was shown"
            file.write(" and whole\n")
        assert follow.until("and whole")[-1] == "2026-01-02T03:04:09.000Z  half and whole"


@pytest.mark.parametrize("arguments", [["--lines", "100000"], ["--follow", "--lines", "100000"]])
def test_a_reader_that_goes_away_is_the_end_and_no_error(idle: Appliance, arguments: list[str]) -> None:
    log = Log(idle, "prosody")
    log.say(*["x" * 200 for _ in range(60)])
    process = idle._popen(["logs", "--state", str(idle.state), *arguments], errors_apart=True)
    assert process.stdout is not None and process.stdout.readline()
    process.stdout.close()

    def ended() -> bool:
        # Whoever follows notices with the next line.
        log.second = 0
        log.say("more")
        return process.poll() is not None

    until(ended, 10, "it ends")
    assert process.returncode == 0
    assert process.stderr.read() == ""


def test_control_c_ends_it(idle: Appliance) -> None:
    Log(idle, "prosody").say("something")
    with following(idle) as follow:
        follow.until("something")
        follow.process.send_signal(signal.SIGINT)
        assert follow.process.wait(10) in (0, -signal.SIGINT)


def test_a_running_server_is_followed(appliance: Appliance) -> None:
    with following(appliance, "prosody", "--lines", "0") as follow:
        # It follows from when it has found the log's end: a client comes again until one is seen.
        def seen() -> bool:
            with appliance.open_stream() as stream:
                stream.open()
            try:
                return bool(follow.until("Client connected", seconds=1))
            except Late:
                return False

        until(seen, 20, "a client's connection is told of")
