"""A certificate authority and a DNS of our own: Pebble and its pebble-challtestsrv, on loopback."""

import json
import os
import ssl
import subprocess
import urllib.request
from pathlib import Path

from .nameserver import NameServer
from .ports import free_block
from .waiting import until


class Authority:
    """Pebble, answering ACME at `directory`, looking names up in a DNS where every name is 127.0.0.1."""

    def __init__(self, folder: Path, http_port: int, name_server: NameServer | None = None, external_accounts: dict[str, str] | None = None, *,
                 pebble: str = "pebble", environment: dict[str, str] | None = None,
                 address: str = "127.0.0.1"):
        """`name_server` is asked instead of a DNS of its own. `address` is where it answers ACME; another than loopback for who has a network of its own."""
        self.folder = folder
        self.address = address
        self.name_server = name_server
        self._pebble = pebble
        self._environment = environment or {}
        self.http_port = http_port
        self.external_accounts = external_accounts or {}
        first = free_block(4)
        self.acme_port, self.management_port, self.dns_port, self.dns_management_port = range(first, first + 4)
        self.directory = f"https://{address}:{self.acme_port}/dir"
        self.bundle = folder / "acme-server.pem"
        self.root = folder / "root.pem"
        self.processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Authority":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_server_certificate()
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"{self.address}:{self.acme_port}",
            "managementListenAddress": f"127.0.0.1:{self.management_port}",
            "certificate": str(self.bundle),
            "privateKey": str(self.folder / "acme-server.key"),
            "httpPort": self.http_port,
            "tlsPort": self.http_port + 1,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(self.external_accounts),
            "externalAccountMACKeys": self.external_accounts,
        }}))
        try:
            self._start("dns", [
                "pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                "-dns01", f"127.0.0.1:{self.dns_port}", "-management", f"127.0.0.1:{self.dns_management_port}",
                "-http01", "", "-https01", "", "-tlsalpn01", ""])
            # Pebble refuses some nonces and waits before validating, to find impatient clients: the first stays, the
            # second would only make the tests slow. It looks at every name each time, too.
            self._start("pebble", [
                self._pebble, "-config", str(self.folder / "pebble.json"), "-dnsserver",
                f"127.0.0.1:{self.name_server.port if self.name_server else self.dns_port}"])
            self.root.write_bytes(until(lambda: self._management("/roots/0"), 20, "Pebble answers"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def forget_addresses(self) -> None:
        """From now on no name has an address, as when the DNS records were never made."""
        self._dns("/set-default-ipv4", {"ip": ""})

    def know_addresses(self) -> None:
        """Every name is this machine again."""
        self._dns("/set-default-ipv4", {"ip": "127.0.0.1"})

    @property
    def log(self) -> str:
        return (self.folder / "pebble.log").read_text(errors="replace")

    def _start(self, name: str, command: list[str]) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            self.processes.append(subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", **self._environment}))

    def _management(self, path: str) -> bytes:
        context = ssl.create_default_context(cafile=str(self.bundle))
        with urllib.request.urlopen(f"https://127.0.0.1:{self.management_port}{path}", context=context, timeout=5) as answer:
            return answer.read()

    def _dns(self, path: str, body: dict) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.dns_management_port}{path}", data=json.dumps(body).encode(), method="POST")
        until(lambda: urllib.request.urlopen(request, timeout=5).status == 200, 10, "the DNS takes a change")

    def _make_server_certificate(self) -> None:
        """The certificate of Pebble's own HTTPS, which the appliance is told to trust."""
        subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", f"subjectAltName=IP:127.0.0.1,IP:{self.address},DNS:localhost",
            "-keyout", str(self.folder / "acme-server.key"), "-out", str(self.bundle)], check=True, capture_output=True)
