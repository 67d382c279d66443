"""`snikket status --watch`: live, calm, there again when the appliance is, and gone without a trace."""

import json
import os
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from world.appliance import Appliance, without_pebble
from world.pseudoterminal import Pseudoterminal, terminal
from world.waiting import until

SERVERS = ("prosody", "nginx", "coturn", "portal")


@contextmanager
def watching(appliance: Appliance, **options: int) -> Iterator[Pseudoterminal]:
    command = [str(appliance.program), "status", "--watch", "--state", str(appliance.state)]
    who = {"user": appliance.uid, "group": appliance.uid, "extra_groups": []} if appliance.uid != os.geteuid() else {}
    with terminal(command, env={"TERM": "xterm", "PATH": os.environ["PATH"]}, **who, **options) as one:
        yield one


def test_it_is_drawn_over_itself_and_never_cleared(appliance: Appliance) -> None:
    with watching(appliance) as one:
        one.until(lambda: len(one.frames()) >= 3, 20, "three pictures")
        for frame in one.frames():
            assert all(name in frame for name in SERVERS) and "is healthy" in frame
        assert one.written.startswith("\x1b[?1049h") and one.written.count("\x1b[?1049h") == 1
        assert "\x1b[2J" not in one.written and "\x1bc" not in one.written
        one.type("q")
        assert one.end() == 0


@pytest.mark.parametrize("how", ["q", "\x03", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_terminal_is_left_as_it_was(appliance: Appliance, how: str | signal.Signals) -> None:
    with watching(appliance) as one:
        one.until(lambda: one.frames(), 20, "a picture")
        assert termios.tcgetattr(one.theirs)[3] & termios.ECHO == 0
        if isinstance(how, str):
            one.type(how)
        else:
            one.process.send_signal(how)
        assert one.end() == 0
        assert termios.tcgetattr(one.theirs) == one.before
        assert one.written.endswith("\x1b[?7h\x1b[?25h\x1b[?1049l"), "lines wrap, the cursor is there, and so is what was on the screen"


def test_a_smaller_terminal_gets_a_smaller_picture_at_once(appliance: Appliance) -> None:
    with watching(appliance) as one:
        whole = one.until(lambda: one.frames(), 20, "a picture")[-1]
        assert whole.count("\n") > 6
        # Whoever waited for the next picture, which comes every two seconds, would need 18 for ten.
        end = time.monotonic() + 15
        for rows in (5, 6) * 5:
            one.resize(rows, 40)
            one.until(lambda: one.frames()[-1].count("\n") == rows - 1, end - time.monotonic(), f"a picture of {rows} lines")
            assert "is healthy" in one.frames()[-1]
        one.resize(40, 120)
        one.until(lambda: one.frames()[-1].count("\n") == whole.count("\n"), 5, "the whole picture again")


def test_it_says_when_the_appliance_is_away_and_goes_on_when_it_is_back() -> None:
    with without_pebble("away", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started()
        appliance.healthy()
        with watching(appliance) as one:
            one.until_shown("is healthy")
            appliance.stop()
            away = one.until_shown("snikket is not running here")
            assert "how it was at" in away and all(name in away for name in SERVERS)
            appliance.started()
            back = one.until_shown("is healthy", 30)
            assert "not running" not in back
            one.type("q")
            assert one.end() == 0


def test_it_can_be_begun_before_the_appliance_is() -> None:
    with without_pebble("early", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        with watching(appliance) as one:
            one.until_shown("snikket is not running here")
            appliance.started()
            one.until_shown("is healthy", 30)


def test_into_a_pipe_it_prints_one_report_after_the_other_until_nobody_reads(appliance: Appliance) -> None:
    process = appliance._popen(["status", "--watch", "--json", "--state", str(appliance.state)], errors_apart=True)
    assert process.stdout is not None
    reports = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [report["domain"] for report in reports] == [appliance.domain] * 2
    process.stdout.close()
    until(lambda: process.poll() is not None, 10, "it ends when its reader has gone")
    assert process.returncode in (0, -signal.SIGPIPE), process.stderr.read()


def test_a_table_into_a_pipe_has_no_colours(appliance: Appliance) -> None:
    process = appliance._popen(["status", "--watch", "--state", str(appliance.state)], errors_apart=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(12)]
        assert not any("\x1b" in line for line in lines)
        assert any("prosody" in line for line in lines)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
