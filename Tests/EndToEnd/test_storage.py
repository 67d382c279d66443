"""A service that can keep nothing is not well, though every server answers: it is said and told of, once, and once more when it is over."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from world.appliance import Appliance, without_pebble
from world.mailbox import Mailbox, mailbox
from world.waiting import until

# A look every minute, and two more soon after a bad one.
NOTICED = 110


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Appliance, Mailbox]]:
    with without_pebble("storage", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, mailbox(appliance.folder) as box:
        appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
        yield appliance.started(), box


def _cause(appliance: Appliance) -> str | None:
    return next((problem["cause"] for problem in appliance.status()["problems"] if problem["matter"] == "storage"), None)


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Somebody else has the database to themselves."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def _not_writable(folder: Path) -> Iterator[None]:
    mode = folder.stat().st_mode & 0o7777
    folder.chmod(0o500)
    try:
        yield
    finally:
        folder.chmod(mode)


def _uploads(appliance: Appliance) -> Path:
    """Where files that people send are kept; the first look makes it."""
    until(lambda: list((appliance.state / "prosody").glob("share*/http_file_share")), NOTICED, "there is a folder for uploads")
    return next((appliance.state / "prosody").glob("share*/http_file_share"))


def test_what_cannot_be_kept_is_noticed_named_and_told_of_and_nothing_is_started_again(told: tuple[Appliance, Mailbox]) -> None:
    appliance, box = told
    uploads = _uploads(appliance)
    before = {service["name"]: (service["pid"], service["restarts"]) for service in appliance.healthy()["services"]}
    with _locked(appliance.state / "prosody/prosody.sqlite"), _not_writable(uploads):
        until(lambda: _cause(appliance), NOTICED, "it is noticed")
        cause = _cause(appliance)
        assert cause is not None
        for what, why in (("database", "locked"), ("uploads", "Permission denied")):
            assert [fault for fault in cause.split("; ") if fault.startswith(f"{what}: ") and why in fault], cause
        assert ".lua" not in cause, "where in the code is nothing for people"
        assert not appliance.status()["healthy"]
        answer = appliance.snikket("status")
        assert answer.returncode == 1 and f"cause: {cause}" in answer.stdout, answer
        until(lambda: box.messages, 30, "the administrator has a message")
        assert cause in box.messages[0].get_content()
    appliance.healthy(60)
    assert _cause(appliance) is None
    until(lambda: len(box.messages) > 1, 30, "the administrator has another message")
    assert "can be kept again" in box.messages[1].get_content()
    assert len(box.messages) == 2
    assert {service["name"]: (service["pid"], service["restarts"]) for service in appliance.healthy()["services"]} == before
    assert not list(uploads.iterdir()), "what was kept to see whether it can be is gone"
    with sqlite3.connect(f"file:{appliance.state}/prosody/prosody.sqlite?mode=ro", uri=True) as database:
        assert database.execute("SELECT count(*) FROM prosody WHERE store = 'snikket_mark'").fetchone() == (1,)
