"""A person's own certificate, from a root of their own."""

import subprocess
from pathlib import Path

from .appliance import CONFIGURATION


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_files(folder: Path, names: list[str]) -> tuple[Path, Path, Path]:
    """A root, a certificate by it and that one's key."""
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=my own root", "-keyout", f"{folder}/root.key", "-out", f"{folder}/root.pem")
    issue(folder, names)
    return folder / "root.pem", folder / "fullchain.pem", folder / "privkey.pem"


def issue(folder: Path, names: list[str]) -> None:
    """Another certificate and key, in the place of those that are there."""
    _openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}",
             "-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/request.pem")
    (folder / "extensions").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    _openssl("x509", "-req", "-in", f"{folder}/request.pem", "-CA", f"{folder}/root.pem", "-CAkey", f"{folder}/root.key",
             "-CAcreateserial", "-days", "20", "-extfile", f"{folder}/extensions", "-out", f"{folder}/leaf.pem")
    (folder / "fullchain.pem").write_text((folder / "leaf.pem").read_text() + (folder / "root.pem").read_text())
    for name in ("fullchain.pem", "privkey.pem"):
        (folder / name).chmod(0o644)  # the throw-away user reads them


def configuration(chain: Path, key: Path) -> str:
    return f"{CONFIGURATION}SNIKKET_CERTIFICATE=files\nSNIKKET_CERTIFICATE_FULLCHAIN={chain}\nSNIKKET_CERTIFICATE_KEY={key}\n"
