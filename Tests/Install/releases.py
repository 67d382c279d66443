"""Releases that are served on loopback, and packages that are made of another one without compiling anything."""

import http.server
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from machine import CHECKOUT, PROGRAMS, Machine


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """What is fetched is no news."""


class Release:
    """A release folder, served on loopback."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.served = folder / "served"
        self.key = folder / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self.served)))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        built = subprocess.run(
            [CHECKOUT / "packaging/build", "--binaries", PROGRAMS, "--output", folder, "--url", self.url, "--key", self.key],
            capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        self.package = Path(built.stdout.splitlines()[-1])
        self.make()

    def make(self, package: Path | None = None, *options: str) -> None:
        """The release is this package from now on."""
        subprocess.run(
            [CHECKOUT / "packaging/release", "--key", self.key, "--url", self.url, "--output", self.served, *options, package or self.package],
            check=True)

    def install(self, machine: Machine, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The script of the release on sh's standard input."""
        return machine.run("sh", "-s", "--", *arguments, stdin=(self.served / "install.sh").read_text(), seconds=900)

    def repacked(self, version: str, change: Callable[[Path], None] = lambda _: None) -> Path:
        """The package under another version, with something changed in it."""
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            root = Path(scratch) / "root"
            subprocess.run(["dpkg-deb", "--raw-extract", self.package, root], check=True)
            control = root / "DEBIAN/control"
            lines = control.read_text().splitlines()
            control.write_text("".join(f"Version: {version}\n" if line.startswith("Version:") else line + "\n" for line in lines))
            (root / "usr/share/doc/snikket/version").write_text(version + "\n")
            change(root)
            sums = subprocess.run(
                "find usr -type f -print0 | sort -z | xargs -0 md5sum", shell=True, cwd=root, capture_output=True, text=True, check=True).stdout
            (root / "DEBIAN/md5sums").write_text(sums)
            package = self.folder / self.package.name.replace(self.package.name.split("_")[1], version)
            # Fast rather than small.
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", root, package], check=True, capture_output=True)
        return package


def wrap_program(root: Path, script: str) -> None:
    """Puts a script in the place of the program, which it finds as /usr/bin/snikket.real or, unpacked elsewhere, beside itself."""
    program = root / "usr/bin/snikket"
    shutil.move(program, root / "usr/bin/snikket.real")
    program.write_text('#!/bin/sh\nreal=$(dirname "$0")/snikket.real\n' + script + '\nexec "$real" "$@"\n')
    program.chmod(0o755)


def append(root: Path, file: str, text: str) -> None:
    with (root / file).open("a") as opened:
        opened.write(text)
