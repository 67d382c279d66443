"""`snikket check` on a server with a network of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any

from .appliance import CONFIGURATION, installation
from .internet import Internet


class Server:
    """A machine on which somebody wants to run the chat service."""

    def __init__(self, folder: Path, internet: Internet):
        self.folder = folder
        self.internet = internet
        self.config = folder / "snikket.conf"
        self.config.write_text(CONFIGURATION)

    def command(self, verb: str, *arguments: str) -> list[str]:
        program = str(installation() / "bin/snikket")
        return [*Internet.inside(self.internet.server), program, verb, "--config", str(self.config), "--state", str(self.folder / "state"), *arguments]

    def snikket(self, verb: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(verb, *arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, env=environment)

    def check(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return self.snikket("check", *arguments, environment=environment)

    def checks(self, *arguments: str, environment: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """Every line of the report. The exit status has to agree with the verdict, and the verdict with the lines."""
        answer = self.check("--json", *arguments, environment=environment)
        assert answer.stdout, answer.stderr
        report = json.loads(answer.stdout)
        assert set(report) == {"verdict", "checks"}
        levels = {check["level"] for check in report["checks"]}
        assert report["verdict"] == next(level for level in ("red", "yellow", "green") if level in levels)
        assert answer.returncode == (1 if report["verdict"] == "red" else 0), answer.stderr
        for check in report["checks"]:
            assert set(check) == {"name", "level", "what", "try", "records"}
            if check["level"] == "red":
                assert check["try"], f"what to do is not said: {check}"
        return report["checks"]

    def not_green(self, *arguments: str, environment: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """What is not as it has to be. Whether something keeps this machine's clock right, and its packages new, is not for a test to decide."""
        return [
            check for check in self.checks(*arguments, environment=environment)
            if check["level"] != "green" and check["name"] not in ("clock", "updates")]
