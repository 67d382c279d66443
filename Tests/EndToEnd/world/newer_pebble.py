"""Debian 13's Pebble, which has renewal information (RFC 9773): the system's own where it is new enough, else from Debian's archive."""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

_SOURCE = """Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@functools.cache
def newer_pebble() -> str:
    """Its path. SNIKKET_TEST_PEBBLE names one; what was fetched is kept in the user's cache."""
    if named := os.environ.get("SNIKKET_TEST_PEBBLE"):
        return named
    installed = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "pebble"], capture_output=True, text=True).stdout
    if (found := re.match(r"(\d+)\.(\d+)", installed)) and (int(found[1]), int(found[2])) >= (2, 6):
        return "pebble"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snikket-tests/pebble-trixie"
    program = cache / "usr/bin/pebble"
    if not program.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
            _download(Path(folder))
            package = next(Path(folder).glob("pebble_*.deb"))
            subprocess.run(["dpkg", "-x", str(package), f"{folder}/root"], check=True)
            if not cache.exists():
                os.rename(f"{folder}/root", cache)
    return str(program)


def _download(folder: Path) -> None:
    """With apt, which checks the signatures, and apart from the system's own lists."""
    (folder / "trixie.sources").write_text(_SOURCE)
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    options = [
        f"Dir::Etc::sourcelist={folder}/trixie.sources", "Dir::Etc::sourceparts=/nonexistent", f"Dir::State::lists={folder}/lists",
        f"Dir::Cache::archives={folder}/archives", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=", "Acquire::Languages=none",
        "APT::Sandbox::User=root", "Debug::NoLocking=1", "Acquire::Retries=5"]
    apt = ["apt-get", "-q", *(part for option in options for part in ("-o", option))]
    # Lists that are just being renewed on a mirror do not fit together, and do so in a moment.
    for last in (False, False, True):
        if subprocess.run([*apt, "update", "--error-on=any"], check=last, cwd=folder, capture_output=True).returncode == 0:
            break
    subprocess.run([*apt, "download", "pebble"], check=True, cwd=folder, capture_output=True)


if __name__ == "__main__":
    newer_pebble()
