"""Disks of a few megabytes, mounted by root: one in memory that can be filled and emptied, and one that can break."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .waiting import until


class SmallDisk:
    """What is mounted on `folder`. Its owner stays who it was."""

    def __init__(self, folder: Path, megabytes: int):
        self.folder = folder
        self._ballast = folder / ".ballast"
        before = folder.stat()
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755,uid={before.st_uid},gid={before.st_gid}", "tmpfs")

    def fill(self, leave: int = 0) -> None:
        """Takes all the room there is, but for about `leave` bytes; again and again, when something has made room meanwhile."""
        with open(self._ballast, "ab", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                while self.free - leave >= size:
                    try:
                        ballast.write(bytes(size))
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        break

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def take_files(self, leave: int) -> None:
        """From now on only so many more files can be made, whatever room there is."""
        facts = os.statvfs(self.folder)
        self._mount("-o", f"remount,nr_inodes={facts.f_files - facts.f_ffree + leave}")

    def give_files(self) -> None:
        self._mount("-o", "remount,nr_inodes=1m")

    @property
    def free(self) -> int:
        """Bytes."""
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def read_only(self) -> None:
        self._mount("-o", "remount,ro")

    def writable(self) -> None:
        self._mount("-o", "remount,rw")

    def unmount(self) -> None:
        _unmount(self.folder)

    def _mount(self, *arguments: str) -> None:
        _run("mount", *arguments, str(self.folder))


class BreakingDisk:
    """An ext4 on a loop device that is mounted on `folder`."""

    def __init__(self, folder: Path, megabytes: int):
        self.folder = folder
        self._image = folder.parent / "disk.image"
        owner = folder.stat()
        with open(self._image, "wb") as image:
            image.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-E", f"root_owner={owner.st_uid}:{owner.st_gid}", str(self._image))
        self._mount()

    def break_(self) -> None:
        """What ext4 does after an error of the disk: nothing can be written any more, whoever has it open."""
        _run("mount", "-o", "remount,abort", str(self.folder))

    def repair(self) -> None:
        """What a reboot does. Nobody may have a file open."""
        self.unmount()
        # Whoever began in a mount namespace of its own just then may hold it for another moment; mounted again it would still be the broken one.
        until(lambda: not _run("losetup", "-j", str(self._image)), 20, "the broken disk is gone")
        _run("fsck.ext4", "-p", str(self._image), succeeding=(0, 1))
        self._mount()

    def unmount(self) -> None:
        _unmount(self.folder)

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.folder))
        self.folder.chmod(0o755)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing can be opened for writing in a folder any more, as long as the body runs; what is open stays so."""
    _run("mount", "--bind", str(folder), str(folder))
    _run("mount", "-o", "remount,bind,ro", str(folder))
    try:
        yield
    finally:
        _unmount(folder)


def _unmount(folder: Path) -> None:
    # Lazily: what still has a file open may have it until its end.
    _run("umount", "-l", str(folder))


def _run(*command: str, succeeding: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in succeeding, (command, done.stdout, done.stderr)
    return done.stdout


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A small disk instead of a folder, as long as the body runs."""
    disk = SmallDisk(folder, megabytes)
    try:
        yield disk
    finally:
        disk.unmount()


@contextmanager
def breaking_disk(folder: Path, megabytes: int) -> Iterator[BreakingDisk]:
    """A disk that can break instead of a folder, as long as the body runs."""
    disk = BreakingDisk(folder, megabytes)
    try:
        yield disk
    finally:
        disk.unmount()
