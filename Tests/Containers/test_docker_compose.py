"""compose.yaml, read by Docker's own Compose (`docker compose config`), from Debian 13's package: no engine is needed for that."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

GOLDEN = Path(__file__).resolve().parents[1] / "ServerConfigsTests/Golden"
EXAMPLES = ["bridge", "host", "addresses", "rootless"]
READ = """
set -e
cd /tmp
apt-get -q update >/dev/null
apt-get -q download docker-compose >/dev/null
dpkg -x docker-compose*.deb root
compose=root/usr/libexec/docker/cli-plugins/docker-compose
for example in bridge host addresses rootless; do
    mkdir "$example"
    cp "/golden/containers.$example.compose.yaml" "$example/compose.yaml"
    "$compose" -f "$example/compose.yaml" config --format json
    echo ===
done
"""


@pytest.fixture(scope="module")
def read() -> dict[str, dict[str, Any]]:
    answer = subprocess.run(
        ["podman", "--runtime", "runc", "run", "--rm", "--network=host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
         "-v", f"{GOLDEN}:/golden:ro", "localhost/snikket-debian:13", "sh", "-c", READ],
        capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "level=warning" not in answer.stderr, answer.stderr
    return dict(zip(EXAMPLES, map(json.loads, answer.stdout.split("===\n")[: len(EXAMPLES)])))


def _variables(value: Any) -> dict[str, str]:
    """Both forms that Compose has for an environment."""
    return value if isinstance(value, dict) else dict(line.split("=", 1) for line in value or [])


@pytest.mark.parametrize("example", EXAMPLES)
def test_docker_reads_it_as_it_was_meant(read: dict[str, dict[str, Any]], example: str) -> None:
    written = yaml.safe_load((GOLDEN / f"containers.{example}.compose.yaml").read_text())
    services = read[example]["services"]
    assert set(services) == set(written["services"])
    for name, service in written["services"].items():
        mine = services[name]
        for key in ("image", "user", "read_only", "cap_drop", "cap_add", "security_opt", "command", "network_mode", "pids_limit"):
            assert mine.get(key) == service.get(key), (name, key, mine.get(key), service.get(key))
        assert mine["healthcheck"]["test"] == service["healthcheck"]["test"], name
        assert _variables(mine.get("environment")) == _variables(service.get("environment")), name
        assert [volume["target"] for volume in mine.get("volumes", [])] == [_target(volume) for volume in service.get("volumes", [])], name
        assert set(mine.get("depends_on", {})) == set(service.get("depends_on", {})), name


def _target(volume: Any) -> str:
    return volume["target"] if isinstance(volume, dict) else volume.split(":")[1]
