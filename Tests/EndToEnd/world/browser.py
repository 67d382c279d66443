"""Chromium without a screen, that finds every name on this machine and trusts one certificate authority more."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


@contextmanager
def chromium(trust: str, width: int = 900, height: int = 1100) -> Iterator[webdriver.Chrome]:
    """A browser of its own, with a home of its own; `trust` is a PEM file with one root."""
    with tempfile.TemporaryDirectory(prefix="snikket-chromium-", ignore_cleanup_errors=True) as home:
        # Chromium reads added roots from the user's NSS database; where that lies depends on its age.
        for database in (Path(home, ".pki/nssdb"), Path(home, ".local/share/pki/nssdb")):
            database.mkdir(parents=True)
            certutil = ["certutil", "-d", f"sql:{database}"]
            subprocess.run([*certutil, "-N", "--empty-password"], check=True, capture_output=True)
            subprocess.run([*certutil, "-A", "-t", "C,,", "-n", "test root", "-i", trust], check=True, capture_output=True)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in (
                "--headless=new", f"--window-size={width},{height}", "--host-resolver-rules=MAP * 127.0.0.1",
                "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--disable-gpu",
                "--no-first-run", f"--user-data-dir={home}/profile"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium's own sandbox does not start as root
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config", "XDG_CACHE_HOME": f"{home}/.cache"}
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver", env=environment))
        driver.set_page_load_timeout(30)
        try:
            yield driver
        finally:
            driver.quit()
