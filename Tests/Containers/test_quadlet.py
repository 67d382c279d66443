"""Podman Quadlet units, through the generator of Debian 13's Podman, which systemd would run."""

import shlex
import subprocess
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "ServerConfigsTests/Golden"
# Debian 12's Podman is older than Quadlet. The generator is taken from its package, with the libraries that it needs.
GENERATE = """
set -e
cd /tmp
apt-get -q update >/dev/null
apt-get -q download podman libsubid5 libgpgme11t64 libdevmapper1.02.1 >/dev/null
for file in *.deb; do dpkg -x "$file" root; done
for example in bridge host addresses; do
    mkdir "units-$example"
    for file in /golden/containers.$example.snikket*; do
        cp "$file" "units-$example/${file#/golden/containers.$example.}"
    done
    echo "=== $example"
    QUADLET_UNIT_DIRS=/tmp/units-$example LD_LIBRARY_PATH=$(echo /tmp/root/usr/lib/*-linux-gnu) root/usr/libexec/podman/quadlet -dryrun
done
"""


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    answer = subprocess.run(
        ["podman", "--runtime", "runc", "run", "--rm", "--network=host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
         "-v", f"{GOLDEN}:/golden:ro", "localhost/snikket-debian:13", "sh", "-c", GENERATE],
        capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    problems = [line for line in answer.stderr.splitlines() if "quadlet" in line and "Loading" not in line]
    assert problems == []
    parts = answer.stdout.split("=== ")[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


@pytest.mark.parametrize(("example", "count"), [("bridge", 5), ("host", 4), ("addresses", 5)])
def test_every_unit_becomes_a_service_with_the_rights_that_were_meant(generated: dict[str, str], example: str, count: int) -> None:
    commands = [shlex.split(line) for line in generated[example].splitlines() if line.startswith("ExecStart=") and " run " in line]
    assert len(commands) == count
    for command in commands:
        name = command[-1]
        assert command[-2:] == ["serve", name]
        assert {"--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"} <= set(command) | {
            f"{a}={b}" for a, b in zip(command, command[1:])}, command
        joined = " ".join(command)
        assert "--health-cmd" in joined and f"CMD /usr/bin/snikket health {name}" in joined, "a shell would be needed"
        assert ("--network host" in joined.replace("=", " ")) == (example == "host" or name == "coturn"), command
        assert ("net_bind_service" in joined.lower()) == (example == "host" and name == "nginx")
        assert "docker.sock" not in joined and "podman.sock" not in joined
