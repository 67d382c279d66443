"""What systemd hears, on a socket like its own: ready, what goes on, a reload's begin and end, signs of life, the stop."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from world import harm
from world.appliance import Appliance, without_pebble


class Systemd:
    """Its end of NOTIFY_SOCKET."""

    def __init__(self, path: Path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o777)
        self.heard: list[str] = []
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message = self.socket.recv(4096).decode()
            except OSError:
                return
            with self._news:
                self.heard.append(message)
                self._news.notify_all()

    def hears(self, beginning: str, after: int = 0, seconds: float = 30) -> int:
        """The place of the first message from there on that begins so."""
        def found() -> int | None:
            return next((place for place in range(after, len(self.heard)) if self.heard[place].startswith(beginning)), None)

        with self._news:
            self._news.wait_for(lambda: found() is not None, timeout=seconds)
            place = found()
        assert place is not None, f"{beginning!r} not within {seconds} s after {after}: {self.heard}"
        return place


@pytest.fixture
def heard() -> Iterator[tuple[Appliance, Systemd]]:
    with without_pebble("systemd", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        systemd = Systemd(appliance.folder / "notify")
        appliance.start({"NOTIFY_SOCKET": str(appliance.folder / "notify"), "WATCHDOG_USEC": "4000000"}).line("ready ", 60)
        try:
            yield appliance, systemd
        finally:
            systemd.socket.close()


def test_it_is_told_of_the_start_and_the_stop(heard: tuple[Appliance, Systemd]) -> None:
    appliance, systemd = heard
    ready = systemd.hears("READY=1")
    serving = systemd.hears(f"STATUS=serving {appliance.domain}")
    assert any(message.startswith("STATUS=") and "serving" not in message for message in systemd.heard[:serving]), systemd.heard
    appliance.stop()
    stopping = systemd.hears("STOPPING=1", serving)
    assert ready < stopping
    assert systemd.heard[systemd.hears("STATUS=", stopping)] == "STATUS=stopping"


def test_the_line_names_a_server_that_fails_until_it_is_well(heard: tuple[Appliance, Systemd]) -> None:
    appliance, systemd = heard
    serving = systemd.hears(f"STATUS=serving {appliance.domain}")
    os.kill(appliance.service("prosody")["pid"], signal.SIGKILL)
    again = systemd.hears("STATUS=prosody is being started again: ended by signal 9", serving)
    systemd.hears(f"STATUS=serving {appliance.domain}", again)
    # One that hangs is named before anything is done about it.
    os.kill(appliance.service("coturn")["pid"], signal.SIGSTOP)
    hanging = systemd.hears("STATUS=coturn ", again, 60)
    systemd.hears(f"STATUS=serving {appliance.domain}", hanging, 60)


@pytest.mark.parametrize("way", ["the command", "SIGHUP"])
def test_a_reload_has_a_begin_and_an_end_however_it_is_asked_for(heard: tuple[Appliance, Systemd], way: str) -> None:
    appliance, systemd = heard
    begin = systemd.hears(f"STATUS=serving {appliance.domain}")
    appliance.config.write_text(appliance.config.read_text() + "SNIKKET_TOS_URI=https://example.org/terms\n")
    # Only a look is no reload.
    assert appliance.snikket("reload", "--dry-run").returncode == 0
    asked = time.monotonic()
    if way == "SIGHUP":
        assert appliance.process is not None
        appliance.process.send_signal(signal.SIGHUP)
    else:
        assert appliance.snikket("reload", seconds=60).returncode == 0
    reloading = systemd.hears("RELOADING=1\nMONOTONIC_USEC=", begin)
    moment = int(systemd.heard[reloading].partition("MONOTONIC_USEC=")[2]) / 1_000_000
    assert asked <= moment <= time.monotonic()
    done = systemd.hears("READY=1", reloading)
    assert "STATUS=reading the settings again" in systemd.heard[reloading:done]
    systemd.hears(f"STATUS=serving {appliance.domain}", done - 1)
    assert sum(message.startswith("RELOADING=1") for message in systemd.heard) == 1, systemd.heard


def test_a_refused_reload_ends_too(heard: tuple[Appliance, Systemd]) -> None:
    appliance, systemd = heard
    serving = systemd.hears(f"STATUS=serving {appliance.domain}")
    appliance.config.write_text(appliance.config.read_text() + "SNIKKET_TOS_URI=https://example.org/terms\n")
    (appliance.state / "run/portal").chmod(0o500)
    refused = appliance.snikket("reload", seconds=60)
    assert refused.returncode != 0 and "run/portal/portal.json" in refused.stderr, refused.stderr
    reloading = systemd.hears("RELOADING=1", serving)
    done = systemd.hears("READY=1", reloading)
    systemd.hears(f"STATUS=serving {appliance.domain}", done - 1)


def test_it_says_that_it_lives_while_it_does(heard: tuple[Appliance, Systemd]) -> None:
    appliance, systemd = heard
    for _ in range(2):
        systemd.hears("WATCHDOG=1", len(systemd.heard), 5)
    assert appliance.process is not None
    appliance.process.send_signal(signal.SIGSTOP)
    # One may have been on its way.
    silent = len(systemd.heard) + 1
    with pytest.raises(AssertionError):
        systemd.hears("WATCHDOG=1", silent, 3)
    appliance.process.send_signal(signal.SIGCONT)
    systemd.hears("WATCHDOG=1", silent, 5)


def test_it_does_not_say_so_when_nobody_would_hear_of_a_server_s_end(heard: tuple[Appliance, Systemd]) -> None:
    appliance, systemd = heard
    systemd.hears("WATCHDOG=1", len(systemd.heard), 5)
    assert appliance.process is not None
    harm.deadlock(appliance.process.pid, thread="launcher")
    # One may have been on its way.
    silent = len(systemd.heard) + 1
    with pytest.raises(AssertionError):
        systemd.hears("WATCHDOG=1", silent, 10)
    # It cannot stop its servers any more either.
    appliance.process.kill()
    appliance.ended()
