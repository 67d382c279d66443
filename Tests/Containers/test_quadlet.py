"""Podman Quadlet units, through the generator of Debian 13's Podman, which systemd would run."""

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from stack import PROGRAM

# What people may name their folders: Podman's generator and systemd leave it as it is.
FOLDERS = ["a", "%n", "ä€", "*a", "&a", "~", "#", ";", "{x}", "-a", "@`!?|<>"]
GOLDEN = Path(__file__).resolve().parents[1] / "ServerConfigsTests/Golden"
# Debian 12's Podman is older than Quadlet. The generator is taken from its package, with the libraries that it needs.
GENERATE = """
set -e
cd /tmp
apt-get -q update >/dev/null
apt-get -q download podman libsubid5 libgpgme11t64 libdevmapper1.02.1 >/dev/null
for file in *.deb; do dpkg -x "$file" root; done
for example in bridge host addresses rootless; do
    mkdir "units-$example"
    for file in /golden/containers.$example.snikket*; do
        cp "$file" "units-$example/${file#/golden/containers.$example.}"
    done
done
cp -r /rendered/units-* .
for units in units-*; do
    echo "=== ${units#units-}"
    case $units in units-rootless) user=-user ;; *) user= ;; esac
    QUADLET_UNIT_DIRS=/tmp/$units LD_LIBRARY_PATH=$(echo /tmp/root/usr/lib/*-linux-gnu) root/usr/libexec/podman/quadlet $user -dryrun
done
"""


def _render(folder: Path, target: str, output: Path, *, image: str = "localhost/snikket:1.2.3") -> subprocess.CompletedProcess[str]:
    """The units or the compose file of somebody who keeps everything in this folder."""
    folder.mkdir(exist_ok=True)
    config = folder / "snikket.conf"
    config.write_text(
        f"SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\nSNIKKET_ACME_CA_BUNDLE='{folder}/root.pem'\n"
        f"SNIKKET_CONTAINER_IMAGE='{image}'\n")
    return subprocess.run(
        [PROGRAM, "render", "--target", target, "--output", output, "--config", config, "--state", folder / "state"], capture_output=True, text=True,
        timeout=60)


@pytest.fixture(scope="module")
def rendered() -> Iterator[Path]:
    """For each of the folders the units, and beside them what a compose file says of the same."""
    with tempfile.TemporaryDirectory(prefix="snikket-units-") as name:
        for number, folder in enumerate(FOLDERS):
            for target, output in (("quadlet", f"units-{number}"), ("compose", f"compose-{number}")):
                answer = _render(Path(name) / folder, target, Path(name) / output)
                assert answer.returncode == 0, (folder, answer.stderr)
        yield Path(name)


@pytest.fixture(scope="module")
def generated(rendered: Path) -> dict[str, str]:
    answer = subprocess.run(
        ["podman", "--runtime", "runc", "run", "--rm", "--network=host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
         "-v", f"{GOLDEN}:/golden:ro", "-v", f"{rendered}:/rendered:ro", "localhost/snikket-debian:13", "sh", "-c", GENERATE],
        capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    problems = [line for line in answer.stderr.splitlines() if "quadlet" in line and "Loading" not in line]
    assert problems == []
    parts = answer.stdout.split("=== ")[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


@pytest.mark.parametrize(("example", "count"), [("bridge", 5), ("host", 4), ("addresses", 5), ("rootless", 5)])
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
        assert ("--userns keep-id" in joined.replace("=", " ")) == (example == "rootless"), command
        assert "docker.sock" not in joined and "podman.sock" not in joined


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_image_and_every_folder_reach_the_command_and_the_mounts_that_it_waits_for_as_they_are(
        rendered: Path, generated: dict[str, str], folder: str) -> None:
    number = FOLDERS.index(folder)
    meant = yaml.safe_load((rendered / f"compose-{number}/compose.yaml").read_text())["services"]
    services = [part for part in generated[str(number)].split("---snikket-")[1:] if "[X-Container]" in part]
    assert len(services) == len(meant) == 5
    for text in services:
        # systemd makes one of two.
        lines = [line.replace("%%", "%") for line in text.splitlines()]
        command = next(line for line in lines if line.startswith("ExecStart="))
        assert "$" not in command, "systemd puts a variable there"
        words = shlex.split(command)
        service = meant[words[-1]]
        volumes = [f"{volume['source']}:{volume['target']}" + (":ro" if volume["read_only"] else "") for volume in service["volumes"]]
        assert [after for word, after in zip(words, words[1:]) if word == "-v"] == volumes
        assert words[-3] == service["image"]
        awaited = {line.removeprefix("RequiresMountsFor=") for line in lines if line.startswith("RequiresMountsFor=/")}
        assert awaited == {volume["source"] for volume in service["volumes"]}


@pytest.mark.parametrize("image", ["localhost/a${HOME}b:$x", "a b", "-a", ";", "snikket.image"])
def test_what_is_no_name_of_an_image_is_refused(tmp_path: Path, image: str) -> None:
    answer = _render(tmp_path, "quadlet", tmp_path / "units", image=image)
    assert answer.returncode == 78 and "SNIKKET_CONTAINER_IMAGE" in answer.stderr, answer.stderr
    assert not (tmp_path / "units").exists()


@pytest.mark.parametrize("folder", ["$x", "${HOME}", "a:b", "a b", "a\u00a0", 'a"', "a\\x20b"])
def test_a_folder_that_a_unit_cannot_name_is_refused(tmp_path: Path, folder: str) -> None:
    answer = _render(tmp_path / folder, "quadlet", tmp_path / "units")
    assert answer.returncode == 78 and "use a folder with another name" in answer.stderr, answer.stderr
    assert not (tmp_path / "units").exists()
