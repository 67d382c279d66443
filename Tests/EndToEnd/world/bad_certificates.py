"""Certificates that an authority must never have sent, made for the key and names it was asked for, or for others."""

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from .misbehaviour import Exchange, Fault

KIND = ("Content-Type", "application/pem-certificate-chain")


def _openssl(*arguments: str, given: bytes | None = None) -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


@functools.cache
def authority(number: int, name: str = "Test CA") -> tuple[Path, Path]:
    """A self-signed authority; another `number` is another key under the same name."""
    folder = Path(tempfile.mkdtemp(prefix="snikket-bad-ca-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key, certificate = folder / "ca.key", folder / "ca.pem"
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3", "-utf8", "-subj", f"/CN={name}",
             "-keyout", str(key), "-out", str(certificate))
    return certificate, key


def signed(csr: bytes, names: list[str], *, days: int = 5, by: tuple[Path, Path]) -> bytes:
    """A certificate for the key of a signing request (DER), with these names."""
    with tempfile.TemporaryDirectory() as folder:
        extensions = Path(folder) / "extensions"
        extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\nbasicConstraints=CA:FALSE\n")
        request = Path(folder) / "request"
        request.write_bytes(csr)
        return _openssl("x509", "-req", "-inform", "DER", "-in", str(request), "-CA", str(by[0]), "-CAkey", str(by[1]), "-days", str(days),
                        "-extfile", str(extensions))


def other_request() -> bytes:
    """A signing request for a key that nobody here has."""
    with tempfile.TemporaryDirectory() as folder:
        return _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/key",
                        "-subj", "/CN=other", "-outform", "DER")


def requested_names(csr: bytes) -> list[str]:
    text = _openssl("req", "-inform", "DER", "-noout", "-text", given=csr).decode()
    return [part.strip().removeprefix("DNS:") for part in text.split("Subject Alternative Name:")[1].split("\n")[1].split(",")]


def sends(*, days: int = 5, key: str = "right", names: str = "right", issuer: tuple[Path, Path] | None = None, chain: str = "right") -> Fault:
    """A certificate that is wrong in what is said here, and right in everything else."""
    def fault(exchange: Exchange) -> None:
        csr = exchange.proxy.csr
        assert csr
        wanted = requested_names(csr)
        by = issuer or authority(1)
        leaf = signed(
            csr if key == "right" else other_request(), {"right": wanted, "others": ["www.example.net"], "one is missing": wanted[:-1]}[names],
            days=days, by=by)
        above = {"right": by[0].read_bytes(), "same name, another key": authority(2)[0].read_bytes(),
                 "none": b"", "another authority": authority(3, "Somebody Else")[0].read_bytes()}[chain]
        exchange.reply(exchange.forward().changed(body=leaf + above))
    return fault
