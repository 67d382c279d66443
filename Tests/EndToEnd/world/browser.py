"""Chromium without a screen, that finds every name on this machine and trusts one certificate authority more."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")


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


def becomes(browser: webdriver.Chrome, condition: Callable[[webdriver.Chrome], T], what: str, seconds: float = 20) -> T:
    """The first true value of `condition`. In the moment in which one page takes the place of another, asking fails: that is not yet."""
    return WebDriverWait(browser, seconds, ignored_exceptions=[WebDriverException]).until(condition, what)


def shown(browser: webdriver.Chrome, selector: str) -> WebElement:
    """The first element of a page that may still be on its way."""
    return becomes(browser, lambda page: page.find_element(By.CSS_SELECTOR, selector), f"the page never had {selector}")


def says(browser: webdriver.Chrome, text: str, selector: str = "body") -> None:
    """Waits until the element's text contains this; the page may be replaced by another while it is read."""
    becomes(browser, lambda page: text in page.find_element(By.CSS_SELECTOR, selector).text, f"the page never said {text}")
