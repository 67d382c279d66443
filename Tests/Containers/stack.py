"""The appliance in containers, started by podman-compose from what `snikket render` has written."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

from world.authority import Authority
from world.people import Account
from world.ports import Ports, free_block
from world.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("SNIKKET_PROGRAMS") or CHECKOUT / ".build/release") / "snikket"
IMAGE = os.environ.get("SNIKKET_IMAGE", "localhost/snikket:test")
PODMAN = ["podman", "--runtime", "runc"]
SERVICES = ["portal", "nginx", "certificates", "prosody", "coturn"]


class Stack:
    """All of them, on ports of their own. No systemd is needed: what it would do for podman's health checks, the tests do when they ask."""

    domain = "chat.example.org"

    def __init__(self, folder: Path, authority: Authority, ports: Ports, settings: dict[str, str] | None = None):
        self.folder = folder
        self.project = f"snikket-{uuid.uuid4().hex[:8]}"
        self.authority = authority
        self.ports = ports
        self.config = folder / "snikket.conf"
        self.state = folder / "state"
        bundle = folder / "authority"
        bundle.mkdir()
        (bundle / "root.pem").write_bytes(authority.bundle.read_bytes())
        relays = free_block(21)
        self.settings = {
            "SNIKKET_DOMAIN": self.domain, "SNIKKET_ADMIN_EMAIL": "admin@example.org", "SNIKKET_CONTAINER_IMAGE": IMAGE,
            "SNIKKET_ACME_DIRECTORY": authority.directory, "SNIKKET_ACME_CA_BUNDLE": str(bundle / "root.pem"),
            "SNIKKET_TWEAK_HTTP_PORT": str(ports.http), "SNIKKET_TWEAK_HTTPS_PORT": str(ports.https),
            "SNIKKET_TWEAK_XMPP_CLIENT_PORT": str(ports.client), "SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT": str(ports.client_tls),
            "SNIKKET_TWEAK_XMPP_SERVER_PORT": str(ports.server), "SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT": str(ports.server_tls),
            "SNIKKET_PROXY65_PORT": str(ports.proxy65), "SNIKKET_TWEAK_TURNSERVER_PORT": str(ports.turn),
            "SNIKKET_TWEAK_TURNSERVER_TLS_PORT": str(ports.turn_tls), "SNIKKET_TWEAK_INTERNAL_HTTP_PORT": str(ports.internal),
            "SNIKKET_TWEAK_TURNSERVER_MIN_PORT": str(relays), "SNIKKET_TWEAK_TURNSERVER_MAX_PORT": str(relays + 20),
        } | (settings or {})
        self.write_settings()

    def write_settings(self, **changes: str) -> None:
        self.settings |= changes
        self.config.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))

    def render(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.snikket("render", *arguments)

    def snikket(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on the machine itself."""
        return subprocess.run(
            [PROGRAM, *arguments, "--config", self.config, "--state", self.state], capture_output=True, text=True, timeout=120)

    def __enter__(self) -> "Stack":
        answer = self.render("--target", "compose", "--output", str(self.folder))
        assert answer.returncode == 0, answer.stderr
        # Limits no higher than this machine's have to be said to runc where it is itself in a container.
        limits = "".join(f"  {service}:\n    ulimits: {{nofile: 1024, nproc: 1000}}\n" for service in SERVICES)
        (self.folder / "compose.override.yaml").write_text("services:\n" + limits)
        try:
            self.up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "-t", "5")

    def up(self) -> None:
        answer = self.compose("up", "-d")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        if self.settings.get("SNIKKET_CONTAINER_NETWORK") != "host":
            # What CNI does for its own bridge, where it may: this machine itself comes by loopback too.
            network = json.loads(self.podman("network", "inspect", f"{self.project}_default"))[0]
            Path(f"/proc/sys/net/ipv4/conf/{network['network_interface']}/route_localnet").write_text("1")

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "podman_compose", "--podman-args=--runtime runc", "-p", self.project, "-f", self.folder / "compose.yaml",
             "-f", self.folder / "compose.override.yaml", *arguments],
            capture_output=True, text=True, timeout=300)

    def name(self, service: str) -> str:
        return f"{self.project}_{service}_1"

    def inside(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in a container, as who runs there."""
        return subprocess.run([*PODMAN, "exec", self.name(service), *command], capture_output=True, text=True, timeout=120)

    def lua(self, service: str, program: str) -> str:
        """What a line of Lua prints there: there is no shell."""
        answer = self.inside(service, "/usr/bin/lua5.4", "-e", program)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def first_process(self, service: str) -> int:
        return int(self.podman("inspect", "-f", "{{.State.Pid}}", self.name(service)))

    def is_healthy(self, service: str) -> bool:
        """What the health check of compose.yaml says."""
        return subprocess.run([*PODMAN, "healthcheck", "run", self.name(service)], capture_output=True, timeout=60).returncode == 0

    def wait_until_healthy(self, services: list[str] | None = None, seconds: float = 90) -> None:
        for service in services or SERVICES:
            until(lambda: self.is_healthy(service), seconds, f"{service} is healthy\n{self.logs()}")

    def log(self, service: str) -> str:
        answer = subprocess.run(["podman", "logs", self.name(service)], capture_output=True, text=True, timeout=60)
        return answer.stdout + answer.stderr

    def logs(self) -> str:
        """The last of what each has said."""
        return "\n".join(f"--- {service}\n" + "\n".join(self.log(service).splitlines()[-25:]) for service in SERVICES)

    def invite(self) -> dict[str, str]:
        answer = self.inside("prosody", "snikket", "invite", "create", "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def account(self, username: str) -> Account:
        return Account(username, "correct horse battery", self.domain, self.ports.client, str(self.authority.root))

    @staticmethod
    def podman(*arguments: str) -> str:
        answer = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=120)
        assert answer.returncode == 0, (arguments, answer.stderr)
        return answer.stdout
