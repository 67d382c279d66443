"""A small state with everything in it that a state can have, and what is to be compared of it."""

import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from .appliance import CONFIGURATION, installation
from .fault import Fault

# What belongs to a machine and a moment, and not to the state.
KEPT = {"lock", "backup.lock", "logs", "run", "accepted", "backups", "backup-staging", "restoring"}


def tree(folder: Path, leaving_out: set[str] = frozenset()) -> dict[str, str]:
    """What is in a folder: for each path its kind, mode and content. A database is what its tables say."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        top = name.split("/")[0]
        if top in leaving_out or top.startswith("before-restore-") or name.endswith(("-wal", "-shm")):
            continue
        status = path.lstat()
        if path.is_symlink():
            found[name] = f"link {os.readlink(path)}"
        elif path.is_dir():
            found[name] = f"folder {stat.S_IMODE(status.st_mode):o}"
        else:
            content = path.read_bytes()
            if content.startswith(b"SQLite format 3\0"):
                # Nothing is to be left beside it.
                with closing(sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)) as database:
                    content = "\n".join(database.iterdump()).encode()
            found[name] = f"file {stat.S_IMODE(status.st_mode):o} {hashlib.sha256(content).hexdigest()}"
    return found


class House:
    """A settings file and a state directory that no server uses."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config = folder / "etc/snikket.conf"
        self.state = folder / "state"
        self.elsewhere = folder / "elsewhere"
        for path in (self.config.parent, self.state, self.elsewhere):
            path.mkdir(parents=True)

    def furnish(self, word: str) -> None:
        """Makes it a state that `word` tells from another."""
        for path in self.state.iterdir():
            if path.name not in KEPT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.config.write_text(f"{CONFIGURATION}SNIKKET_SITE_NAME={word}\n")
        (self.state / "logs").mkdir(exist_ok=True)
        (self.state / "logs/prosody.log").write_text(word)
        for name in ("prosody/chat%2eexample%2eorg", "certificates/cert-1", "secrets", "portal", word):
            (self.state / name).mkdir(parents=True)
        (self.state / "secrets/api").write_text(word)
        (self.state / "secrets/api").chmod(0o600)
        (self.state / "certificates/cert-1/privkey.pem").write_text(word)
        (self.state / "certificates/current").symlink_to("cert-1")
        (self.state / "messages.json").write_text(word)
        (self.state / f"prosody/chat%2eexample%2eorg/{word * 20}.bin").write_bytes(word.encode() * 50_000)
        (self.state / "prosody/empty").touch()
        with closing(sqlite3.connect(self.state / "prosody/prosody.sqlite")) as database, database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE words (word TEXT)")
            database.executemany("INSERT INTO words VALUES (?)", [(word,)] * 500)

    def looks(self) -> tuple[dict[str, str], str]:
        """The state and the settings."""
        return tree(self.state, KEPT), self.config.read_text()

    def remember(self) -> None:
        """What ``reset`` brings back."""
        shutil.rmtree(self.folder / "before", ignore_errors=True)
        for name in ("etc", "state", "elsewhere"):
            shutil.copytree(self.folder / name, self.folder / "before" / name, symlinks=True)

    def reset(self) -> None:
        for name in ("etc", "state", "elsewhere"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(self.folder / "before" / name, self.folder / name, symlinks=True)

    def _prepared(self, arguments: tuple[str, ...], fault: Fault | None, log: Path | None) -> tuple[list[str], dict]:
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder), **(fault.environment(log) if fault else {})}
        # Root is not needed for any of it, and a machine with root may not have the users of an installation.
        who = {"user": 59_999, "group": 59_999, "extra_groups": []} if os.geteuid() == 0 else {}
        if who:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, 59_999, 59_999, follow_symlinks=False)
        command = [str(installation() / "bin/snikket"), *arguments, "--config", str(self.config), "--state", str(self.state)]
        return command, {"text": True, "env": environment, "stdin": subprocess.DEVNULL, **who}

    def run(self, *arguments: str, fault: Fault | None = None, log: Path | None = None) -> subprocess.CompletedProcess[str]:
        command, how = self._prepared(arguments, fault, log)
        return subprocess.run(command, capture_output=True, timeout=120, **how)

    def begin(self, *arguments: str, **more) -> subprocess.Popen[str]:
        """In a session of its own, without waiting for its end."""
        command, how = self._prepared(arguments, None, None)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **how, **more)

    def backup(self, *more: str) -> Path:
        """A backup, outside of the state."""
        file = self.elsewhere / "backup.tar.zst"
        answer = self.run("backup", "create", "--to", str(file), *more)
        assert answer.returncode == 0, answer.stderr
        return file


def verify(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(installation() / "bin/snikket"), "backup", "verify", str(file), *more], capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL)
