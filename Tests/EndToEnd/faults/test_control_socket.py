"""Whatever lies where the control socket belongs: `snikket status` ends in time and says what it found, and `snikket up` starts or says why not."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from world.appliance import Appliance, without_pebble
from world.waiting import until


@pytest.fixture(scope="module")
def stopped() -> Iterator[Appliance]:
    """An appliance that has run before."""
    with without_pebble("socket", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        assert appliance.started().stop() == 0
        yield appliance


def _place(appliance: Appliance) -> Path:
    return appliance.state / "run/control/socket"


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for inside in path.iterdir():
            inside.unlink()
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _bound(path: Path) -> socket.socket:
    """A socket at `path`; sockets' paths are short, so it is made from beside it."""
    made, here = socket.socket(socket.AF_UNIX), os.getcwd()
    os.chdir(path.parent)
    try:
        made.bind(path.name)
    finally:
        os.chdir(here)
    return made


def _left_behind(path: Path) -> None:
    _bound(path).close()


def _file(path: Path) -> None:
    path.write_text("not a socket\n")


def _link_to_nothing(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def _link_to_a_file(path: Path) -> None:
    target = path.parents[3] / "precious"
    target.write_text("precious\n")
    path.symlink_to(target)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("lay", [_left_behind, _file, _link_to_nothing, _link_to_a_file, _pipe])
def test_what_lies_there_is_replaced_at_the_start(stopped: Appliance, lay: Callable[[Path], None]) -> None:
    path = _place(stopped)
    _clear(path)
    lay(path)
    if path.exists() and not path.is_symlink():
        os.chown(path, stopped.uid, stopped.uid)
    _assert_status_says_no(stopped)
    stopped.started().healthy()
    assert stopped.stop() == 0
    assert not path.exists() and not path.is_symlink()
    precious = stopped.folder / "precious"
    assert not precious.exists() or precious.read_text() == "precious\n"


@pytest.mark.parametrize("full", [False, True], ids=["empty", "with-a-file"])
def test_a_folder_in_its_place_is_named(stopped: Appliance, full: bool) -> None:
    path = _place(stopped)
    _clear(path)
    path.mkdir()
    if full:
        (path / "somebodys").write_text("work\n")
    try:
        _assert_status_says_no(stopped)
        stopped.start()
        assert stopped.process is not None
        code = stopped.process.wait(60)
        stopped.process = None
        assert code == 1 and "snikket: error: cannot use " in stopped.said and str(path) in stopped.said, stopped.said
        assert not stopped.processes()
        assert path.is_dir() and (not full or (path / "somebodys").read_text() == "work\n")
    finally:
        _clear(path)
    stopped.started().healthy()
    assert stopped.stop() == 0


def _assert_status_says_no(appliance: Appliance) -> None:
    began = time.monotonic()
    answer = appliance.snikket("status")
    assert time.monotonic() - began < 10
    assert answer.returncode in (1, 75) and answer.stdout == "", answer
    for part in ("error: ", "cause: ", "try:   "):
        assert f"snikket: {part}" in answer.stderr, answer.stderr


def test_one_that_is_removed_while_it_runs_is_made_anew_and_meanwhile_it_is_said_that_something_runs(stopped: Appliance) -> None:
    stopped.started().healthy()
    path = _place(stopped)
    assert stopped.process is not None
    path.unlink()
    answer = stopped.snikket("status")
    assert answer.returncode == 75 and f"process {stopped.process.pid} uses its state" in answer.stderr, answer
    until(path.is_socket, 30, "the socket is there again")
    stopped.healthy()
    assert stopped.stop() == 0
    assert not path.exists()


SILENT = b""
HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"healthy\":"
NONSENSE = b"\0\xff" * 500
OTHER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]"
ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000


@pytest.mark.parametrize("words", [SILENT, HALF, NONSENSE, OTHER, ENDLESS], ids=["silent", "half", "nonsense", "other", "endless"])
@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["certificate", "renew"]], ids=" ".join)
def test_a_socket_that_does_not_answer_as_it_should(stopped: Appliance, words: bytes, command: list[str]) -> None:
    path = _place(stopped)
    _clear(path)
    with _bound(path) as listener:
        os.chown(path, stopped.uid, stopped.uid)
        listener.listen(5)
        listener.settimeout(20)
        process = stopped._popen([*command, "--config", str(stopped.config), "--state", str(stopped.state)], errors_apart=True)
        began = time.monotonic()
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(words)
            except (BrokenPipeError, ConnectionResetError):
                pass
            out, error = process.communicate(timeout=15)
        assert time.monotonic() - began < 10
        assert process.returncode == 75 and out == "", (process.returncode, out, error)
        assert "snikket: error: snikket does not answer" in error and str(path) in error and "snikket: try:   " in error
    _clear(path)


def test_the_first_one_going_on_is_not_bothered_by_those_who_never_finish_asking() -> None:
    with without_pebble("askers", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started()
        path, here = _place(appliance), os.getcwd()
        silent = []
        try:
            os.chdir(path.parent)
            for number in range(200):
                asker = socket.socket(socket.AF_UNIX)
                asker.connect(path.name)
                asker.sendall([b"", b"GET /sta", b"POST /reload HTTP/1.1\r\ncontent-length: 50\r\n\r\n{", b"\0" * 100][number % 4])
                silent.append(asker)
        finally:
            os.chdir(here)
        began = time.monotonic()
        appliance.healthy()
        assert time.monotonic() - began < 10
        assert appliance.stop() == 0
        for asker in silent:
            asker.close()
