#!/usr/bin/env python3
"""In place of a server's program: behaves as the word in a file says, or becomes the server.

Copied to where the server is looked for (stand_in.py).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ME = Path(__file__).resolve()
PLAN = json.loads(ME.with_name(ME.name + ".json").read_text())
NOTES = Path(PLAN["notes"])


def become_the_server() -> None:
    os.execv(PLAN["real"], [PLAN["real"], *sys.argv[1:]])


def note(name: str, **what: object) -> None:
    with open(NOTES / f"{PLAN['name']}.{name}", "a") as file:
        file.write(json.dumps({"at": time.monotonic(), "pid": os.getpid(), **what}) + "\n")


def noted(name: str) -> list[dict]:
    try:
        return [json.loads(line) for line in (NOTES / f"{PLAN['name']}.{name}").read_text().splitlines()]
    except FileNotFoundError:
        return []


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def run_beside(work) -> None:
    """Does something in a child of the same process group, and becomes the server."""
    if os.fork() == 0:
        work()
        os._exit(0)
    become_the_server()


def crashes() -> None:
    """Ends at once."""
    print("there is no coffee left", flush=True)
    sys.exit(3)


def deaf() -> None:
    """Serves, and does not care when it is told to stop."""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: note("ignored"))
    # The child is told nothing: signals go to the main process.
    server = subprocess.Popen([PLAN["real"], *sys.argv[1:]])
    while server.poll() is None:
        time.sleep(0.2)
    sys.exit(server.returncode)


def family() -> None:
    """Leaves children of every kind behind: of its group, of a session of their own, with its output open and without."""
    pids = []
    for session, output in ((False, True), (False, False), (True, True), (True, False)):
        pid = os.fork()
        if pid == 0:
            if session:
                os.setsid()
            for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if not output:
                nothing = os.open("/dev/null", os.O_RDWR)
                for descriptor in (1, 2):
                    os.dup2(nothing, descriptor)
            while True:
                time.sleep(1000)
        pids.append(pid)
    note("children", children=pids)
    become_the_server()


def slow() -> None:
    """Thinks for 20 seconds first."""
    time.sleep(20)
    become_the_server()


def halts() -> None:
    """Goes no further until somebody lets it."""
    os.kill(os.getpid(), signal.SIGSTOP)
    become_the_server()


def says(*answer: bytes) -> None:
    """Listens where the server would, takes everybody, says something, and hangs."""
    listeners = []
    for place in PLAN["places"]:
        if isinstance(place, str):
            Path(place).unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(place)
        else:
            listener = socket.create_server(("", place), family=socket.AF_INET6, dualstack_ipv6=True)
        listener.listen(100)
        listener.setblocking(False)
        listeners.append(listener)
    if PLAN.get("datagrams"):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("", PLAN["datagrams"]))
        datagrams.setblocking(False)
        listeners.append(datagrams)
    guests = []
    while True:
        for listener in listeners:
            try:
                if listener.type == socket.SOCK_DGRAM:
                    _, sender = listener.recvfrom(2000)
                    listener.sendto(b"".join(answer), sender)
                    continue
                guest, _ = listener.accept()
                guests.append(guest)
                for part in answer:
                    guest.sendall(part)
            except BlockingIOError:
                pass
            except OSError:
                note("guest left")
        time.sleep(0.02)


def half_a_stream() -> None:
    says(b"<?xml version='1.0'?><stream:stream from='chat.example.org' id='")


def half_an_answer() -> None:
    says(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhal")


def half_a_hello() -> None:
    # A handshake record of 1000 bytes, of which the first 20 come (RFC 8446 §5.1).
    says(bytes([22, 3, 3, 3, 232, 2, 0, 3, 228, 3, 3]) + bytes(9))


def half_a_binding() -> None:
    says(bytes([1, 1, 0, 12, 0x21, 0x12]))


def garbage() -> None:
    says(os.urandom(3000))


def floods() -> None:
    """100 MB of lines as fast as they are taken."""
    def pour() -> None:
        block = b"".join(b"%07d the quick brown fox jumps over the lazy dog, again and again, and says so each time\n" % n for n in range(10_000))
        left = 100 * 1000 * 1000
        while left > 0:
            left -= os.write(1, block[:left])
        note("poured")

    run_beside(pour)


def babbles() -> None:
    """A line of 10 MB, what a terminal would obey, what turns the reading direction, and what is no text at all."""
    def pour() -> None:
        for part in (
            b"x" * 10_000_000 + b"\n", b"\x1b[2J\x1b]0;owned\x07\x08\x7f\x9b31m colour \r over\n", bytes(range(32)) + b"\n",
            "turned \u202e gnol \u2066 isolated \u2069 \u200e \u2028 parted \ufeff\n".encode(), b"\xff\xfe\xc3\x28\xf0\x9f\x92\xed\xa0\x80 no text\n",
            b"2026-01-01T00:00:00.000Z a moment that it made up\n", b"the last words\n",
        ):
            while part:
                part = part[os.write(1, part):]
        note("poured")

    run_beside(pour)


def mute() -> None:
    """Closes its output."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nothing, descriptor)
    become_the_server()


def main() -> None:
    if PLAN["server"] not in sys.argv or any(argument in ("-t", "check") or "/candidate/" in argument for argument in sys.argv):
        become_the_server()
    earlier = [child for record in noted("children") for child in record["children"]]
    note("started", alive=[child for child in earlier if lives(child)])
    try:
        word = (NOTES / f"{PLAN['name']}.word").read_text().strip()
    except FileNotFoundError:
        word = ""
    if not word:
        become_the_server()
    globals()[word]()


if __name__ == "__main__":
    main()
