"""A DNS server whose zone can be changed with a key (RFC 2136): BIND, on loopback."""

import os
import socket
import subprocess
from pathlib import Path

from .ports import free_block
from .waiting import until

KEY = 'key "acme-key" { algorithm hmac-sha256; secret "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="; };\n'


class NameServer:
    """BIND with the zone example.org, in which every name is this machine, and the key that may change it."""

    def __init__(self, folder: Path, owner: int):
        """`owner` is the user id that may read the key."""
        self.folder = folder
        self.port = free_block(1)
        self.key_file = folder / "tsig.key"
        self.owner = owner
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "NameServer":
        self.folder.mkdir(parents=True)
        self.key_file.touch(0o600)
        self.key_file.write_text(KEY)
        os.chown(self.key_file, self.owner, self.owner)
        (self.folder / "zone").write_text(
            "$TTL 60\n@ SOA ns.example.org. admin.example.org. 1 3600 600 86400 60\n@ NS ns\n@ A 127.0.0.1\n* A 127.0.0.1\n")
        (self.folder / "named.conf").write_text(f"""
            options {{ directory "{self.folder}"; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no;
                pid-file none; session-keyfile "{self.folder}/session.key"; managed-keys-directory "{self.folder}"; dnssec-validation no; }};
            controls {{}};
            {KEY}
            zone "example.org" {{ type primary; file "zone"; update-policy {{ grant acme-key subdomain example.org. TXT; }}; }};
            """)
        with open(self.folder / "named.log", "wb") as log:
            self.process = subprocess.Popen(
                ["named", "-g", "-n", "1", "-c", str(self.folder / "named.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(self._answers, 20, "BIND answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "named.log").read_text(errors="replace")

    def _answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
