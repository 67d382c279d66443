"""A small internet: a server with public addresses in a network of its own, and beside it a DNS server that everybody asks. For root only."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .waiting import until

ADDRESS, ADDRESS6 = "203.0.113.5", "2001:db8:5::5"
DNS_ADDRESS = "203.0.113.1"
# Two of DNS's own, whom one asks to see whether IPv6 works.
ROOT_SERVERS = ["2001:503:ba3e::2:30", "2001:7fd::1"]
GOOD_ZONE = """\
chat.example.org. A 203.0.113.5
chat.example.org. AAAA 2001:db8:5::5
groups.chat.example.org. CNAME chat.example.org.
share.chat.example.org. CNAME chat.example.org.
"""


class Internet:
    """Two network namespaces (ip-netns(8)): `server`, whose /etc has files of its own, and the rest of the world."""

    def __init__(self, folder: Path, address: str = f"{ADDRESS}/24"):
        self.folder = folder
        self.server = f"snikket-{os.getpid()}-a"
        self.world = f"snikket-{os.getpid()}-b"
        # What lies here is the server's /etc/NAME.
        self.etc = Path("/etc/netns") / self.server
        self.address = address
        self.dns: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Internet":
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text(f"nameserver {DNS_ADDRESS}\n")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n")
        # A ufw of its own, that is off, whatever this machine's does.
        shutil.copytree("/etc/ufw", self.etc / "ufw")
        (self.etc / "ufw/ufw.conf").write_text("ENABLED=no\nLOGLEVEL=off\n")
        try:
            for name in (self.server, self.world):
                _run("ip", "netns", "add", name)
                _run("ip", "-n", name, "link", "set", "lo", "up")
            _run("ip", "link", "add", "eth0", "netns", self.server, "type", "veth", "peer", "name", "eth0", "netns", self.world)
            self._ip(self.server, f"addr add {self.address} dev eth0", f"addr add {ADDRESS6}/64 dev eth0 nodad", "link set eth0 up")
            self._ip(
                self.world, f"addr add {DNS_ADDRESS}/24 dev eth0", "addr add 10.0.0.1/24 dev eth0", "addr add 2001:db8:5::1/64 dev eth0 nodad",
                *(f"addr add {root}/128 dev lo nodad" for root in ROOT_SERVERS), "link set eth0 up")
            gateway = "10.0.0.1" if self.address.startswith("10.") else DNS_ADDRESS
            self._ip(self.server, f"route add default via {gateway}", "-6 route add default via 2001:db8:5::1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self._others, *([self.dns] if self.dns else [])]:
            process.kill()
            process.wait()
        for name in (self.server, self.world):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(self.etc, ignore_errors=True)

    def publish(self, zone: str) -> None:
        """Makes these records, and no others, what DNS says; none at all is a DNS server that does not answer."""
        if self.dns:
            self.dns.kill()
            self.dns.wait()
            self.dns = None
        if not zone:
            return
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="dns-"))
        (folder / "zone").write_text(f"$TTL 60\n@ SOA ns. admin. 1 3600 600 86400 60\n@ NS ns.\nns. A {DNS_ADDRESS}\n{zone}\n")
        (folder / "named.conf").write_text(f"""
            options {{ directory "{folder}"; listen-on {{ any; }}; listen-on-v6 {{ any; }}; recursion no; pid-file none;
                session-keyfile "{folder}/session.key"; managed-keys-directory "{folder}"; dnssec-validation no; }};
            controls {{}};
            zone "." {{ type primary; file "zone"; }};
            """)
        with open(folder / "named.log", "wb") as log:
            self.dns = subprocess.Popen(
                [*self.inside(self.world), "named", "-g", "-n", "1", "-c", str(folder / "named.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: " running" in (folder / "named.log").read_text(), 20, "BIND has its zone")

    def on_server(self, *command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Runs a command on the server."""
        return subprocess.run([*self.inside(self.server), *command], capture_output=True, text=True, **more)

    def in_the_world(self, *command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Runs a command beside the server, where everybody else is."""
        return subprocess.run([*self.inside(self.world), *command], capture_output=True, text=True, **more)

    def started_on_server(self, *command: str, output: Path | None = None) -> "subprocess.Popen[bytes]":
        """A command that runs on the server until the end of the test; what it prints goes to a file."""
        with open(output or "/dev/null", "wb") as file:
            process = subprocess.Popen([*self.inside(self.server), *command], stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self._others.append(process)
        return process

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        self._others.remove(process)
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    @staticmethod
    def inside(name: str) -> list[str]:
        """What stands before a command that is to run in a namespace. It becomes the command, with the same process id."""
        return ["ip", "netns", "exec", name]

    def _ip(self, name: str, *commands: str) -> None:
        for command in commands:
            _run("ip", "-n", name, *command.split())


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
