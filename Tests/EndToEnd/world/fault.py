"""Ends a program at, or fails, one chosen call of those by which it changes files: see fault.c."""

import atexit
import errno
import functools
import os
import random
import shutil
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """What happens at the call with this number, counted from 1 in the calls that change files below `below`."""

    below: Path
    at: int = 0
    error: int = 0
    for_ever: bool = False

    def environment(self, log: Path | None = None) -> dict[str, str]:
        variables = {"LD_PRELOAD": str(library("fault")), "FAULT_BELOW": str(self.below), "FAULT_AT": str(self.at)}
        if self.error:
            variables["FAULT_ERRNO"] = str(self.error)
        if self.for_ever:
            variables["FAULT_FOR_EVER"] = "1"
        if log:
            variables["FAULT_LOG"] = str(log)
        return variables

    def __str__(self) -> str:
        how = "killed" if not self.error else errno.errorcode[self.error] + (" from then on" if self.for_ever else "")
        return f"{how} at call {self.at}"


def some(count: int, everything: bool, least: int) -> list[int]:
    """All numbers from 1 to `count`, or about `least` of them, evenly apart: others each time."""
    if everything or count <= least:
        return list(range(1, count + 1))
    stride = count // least
    return list(range(random.randint(1, stride), count + 1, stride))


def pair(folder: Path) -> str | None:
    """The certificate of the pair that a server would load from `folder`, as PEM; None when there is no pair at all.

    Half a pair, and a key that is not the certificate's, are failures.
    """
    chain, key = folder / "fullchain.pem", folder / "privkey.pem"
    assert chain.exists() == key.exists(), f"half a pair in {folder}"
    if not chain.exists():
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    except ssl.SSLError as error:
        raise AssertionError(f"chain and key in {folder} do not belong together: {error}") from error
    return chain.read_text()


def assert_tidy(folder: Path, extra: set[str] = frozenset()) -> None:
    """A folder of certificates after a run that went well: what is current, at most the unit before, nothing else."""
    assert pair(folder), f"no certificate in {folder}"
    units = {path.name for path in folder.iterdir() if path.name.startswith("cert-")}
    others = {path.name for path in folder.iterdir()} - units - extra
    assert others == {"fullchain.pem", "privkey.pem", "current"}, f"left behind in {folder}: {others}"
    assert os.readlink(folder / "current") in units and len(units) <= 2, f"orphaned keys in {folder}: {units}"
    for unit in units:
        files = {path.name for path in (folder / unit).iterdir()} - {"record.json"}
        assert files == {"fullchain.pem", "privkey.pem"}, f"{unit} has {files}"
        pair(folder / unit)


def assert_three_parts(text: str, fault: Fault) -> None:
    lines = text.splitlines()
    for part in ("error: ", "cause: ", "try: "):
        assert any(line.startswith(f"snikket-certs: {part}") for line in lines), f"{fault}: no `{part}` in {text!r}"


def calls(log: Path) -> list[str]:
    """The calls that a run made: a name and a path each."""
    return log.read_text().splitlines() if log.exists() else []


@functools.cache
def library(name: str) -> Path:
    """The library for LD_PRELOAD that `NAME.c` beside this file becomes."""
    folder = Path(tempfile.mkdtemp(prefix=f"snikket-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    library = folder / f"{name}.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library),
         str(Path(__file__).with_name(f"{name}.c")), "-ldl"],
        check=True)
    return library
