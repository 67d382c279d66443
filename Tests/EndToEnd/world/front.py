"""Other people's web servers, in front of an appliance: the real programs, with the part that the appliance prints for them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .waiting import until

MODULES = "mpm_event authz_core proxy proxy_http proxy_wstunnel headers ssl"


def settings_asked_for(said: str) -> dict[str, str]:
    """What `snikket render --target proxy=NAME` wants to have in snikket.conf first."""
    return dict(re.findall(r'^(?:snikket: cause:)?\s*(SNIKKET_\w+)="?([^"\n]*)"?$', said, re.M))


class Front:
    """One of them, on ports of its own."""

    def __init__(self, kind: str, folder: Path, http: int, https: int):
        self.kind = kind
        self.folder = folder / "front"
        self.http, self.https = http, https
        self.part = self.folder / "part"
        self.process: subprocess.Popen[bytes] | None = None
        self.folder.mkdir()

    @property
    def own_root(self) -> Path | None:
        """The root of the certificates that it makes itself."""
        return self.folder / "caddy/pki/authorities/local/root.crt" if self.kind == "caddy" else None

    def serve(self, part: str, port: int) -> None:
        """Serves with this part, from now on; waits until it has the port."""
        self.stop()
        self.part.write_text(part)
        command = getattr(self, "_" + self.kind)()
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.folder)
        until(lambda: self._listens(port), 20, f"{self.kind} listens")

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def _listens(self, port: int) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        return f":{port} " in subprocess.run(["ss", "-Htln"], capture_output=True, text=True, check=True).stdout

    def _write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    # What each of them has besides the part, as on a machine of its own.

    def _nginx(self) -> list[str]:
        folders = "".join(
            f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = self._write(
            "nginx.conf",
            f"daemon off; pid {self.folder}/nginx.pid; error_log stderr; {user} events {{}} http {{ access_log off; {folders} include {self.part}; }}")
        return ["nginx", "-e", "stderr", "-c", configuration]

    def _apache(self) -> list[str]:
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in MODULES.split())
        return ["apache2", "-DFOREGROUND", "-f", self._write("apache2.conf", f"""
            ServerRoot {self.folder}
            DefaultRuntimeDir {self.folder}
            PidFile {self.folder}/apache2.pid
            ErrorLog {self.folder}/error.log
            ServerName localhost
            {modules}
            User nobody
            Group nogroup
            Listen {self.http}
            Listen {self.https}
            Include {self.part}
            """)]

    def _caddy(self) -> list[str]:
        ports = f"http_port {self.http}\n https_port {self.https}\n"
        configuration = self._write(
            "Caddyfile",
            f"{{\n admin off\n local_certs\n skip_install_trust\n storage file_system {self.folder}/caddy\n {ports}}}\n"
            f"import {self.part}\n")
        return ["caddy", "run", "--adapter", "caddyfile", "--config", configuration]

    def _haproxy(self) -> list[str]:
        base = self._write("haproxy.cfg", "global\n    maxconn 1000\ndefaults\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n")
        return [shutil.which("haproxy") or "haproxy", "-db", "-f", base, "-f", str(self.part)]

    def _sslh(self) -> list[str]:
        # The program that Debian starts. The other one of Debian 12, sslh-select 1.20, now and then closes a connection when another begins at the
        # same moment: it takes a new socket for the one that had its number, reads nothing, and takes that for an end.
        return ["sslh", "-F" + str(self.part)]
