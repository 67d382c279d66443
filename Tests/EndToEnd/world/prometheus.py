"""A Prometheus of our own: scrapes one place every three seconds, and is asked over its API."""

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .ports import free_block
from .waiting import until


@dataclass
class Prometheus:
    port: int

    def ask(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found = json.load(answer)
        assert found["status"] == "success", found
        return found["data"]

    def value(self, expression: str) -> list[dict[str, Any]]:
        return self.ask("query", query=expression)["result"]

    def number(self, expression: str) -> float | None:
        """The only value, or None when there is none."""
        found = self.value(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None


@contextmanager
def prometheus(folder: Path, target: str, rules: Path | None = None) -> Iterator[Prometheus]:
    """Running on loopback until the end of the block."""
    folder.mkdir()
    configuration = folder / "prometheus.yml"
    configuration.write_text(json.dumps({
        "global": {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)] if rules else [],
        "scrape_configs": [{"job_name": "snikket", "static_configs": [{"targets": [target]}]}]}))
    server = Prometheus(free_block(1))
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{server.port}", "--log.level=warn"], stdout=output, stderr=subprocess.STDOUT)
    try:
        until(lambda: server.ask("status/runtimeinfo"), 30, "Prometheus answers")
        yield server
        # It warns of samples that it cannot take, and takes the rest.
        assert "Error on ingesting" not in log.read_text() and "append failed" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        process.wait(20)
