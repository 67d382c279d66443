"""Whoever administers hears of what only they can mend: by e-mail and chat, once, and once more when it is over."""

import json
import os
import signal
import time

from world.appliance import Appliance, without_pebble
from world.mailbox import mailbox
from world.waiting import until


def _failing(attempts, **more) -> None:
    kept = json.loads(attempts.read_text())
    now = int(time.time())
    attempts.write_text(json.dumps(kept | {
        "failures": 9, "firstFailure": now - 4 * 86400, "nextAttempt": now + 3600,
        "lastError": {"kind": "local", "error": "the größte disk is full", "try": "make room"}} | more))


def _waiting(appliance: Appliance, channel: str) -> list[dict]:
    """What has not gone through a channel yet."""
    return [letter for letter in json.loads((appliance.state / "messages.json").read_text())["outbox"] if channel in letter["channels"]]


def test_an_email_is_sent_over_tls_once_and_once_more_at_the_end() -> None:
    with without_pebble("mail", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, mailbox(appliance.folder) as box:
        appliance.started()
        assert appliance.stop() == 0
        attempts = appliance.state / "certificates/attempts.json"
        _failing(attempts)
        # Its certificate is nobody's that we trust: no password is sent to it.
        appliance.settings["SNIKKET_SMTP_URL"] = box.url
        appliance.started().line("snikket: error: the mail server did not take the message", 60)
        assert box.messages == []
        assert appliance.stop() == 0
        appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
        appliance.started()
        until(lambda: box.messages, 60, "the mail server has a message")
        message = box.messages[0]
        assert message["To"] == "<admin@example.org>" or "admin@example.org" in message["To"]
        assert box.senders == [box.user] and box.was_encrypted == [True]
        assert "could not be renewed" in message["Subject"]
        assert "the größte disk is full" in message.get_content()
        # Told is told when the mail server has said that it took it: before that, another start would try again.
        until(lambda: not _waiting(appliance, "mail"), 30, "the mail server has said so")
        assert appliance.stop() == 0
        # Not again at the next start.
        appliance.started()
        assert json.loads((appliance.state / "messages.json").read_text())["levels"] == {"certificate": 1}
        assert appliance.stop() == 0
        now = int(time.time())
        serial = json.loads(attempts.read_text())["renewal"]["serial"]
        _failing(attempts, nextAttempt=now - 1, renewal={
            "serial": serial, "spread": 0.5, "window": {"start": now - 9, "end": now}, "nextLook": now + 3600})
        appliance.started()
        until(lambda: len(box.messages) == 2, 60, "a second message")
        assert "is well again" in box.messages[1].get_content()
        assert "s3cret" not in appliance.everything_said()
        assert "s3cret" not in (appliance.state / "messages.json").read_text()


def test_a_server_that_keeps_failing_is_told_of() -> None:
    with without_pebble("failing", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance, mailbox(appliance.folder) as box:
        appliance.settings["SNIKKET_SMTP_URL"] = box.url + ";insecure"
        appliance.started()
        # Nothing that the portal could start with, however often.
        (appliance.state / "run/portal/portal.json").write_text("{")
        os.kill(appliance.service("portal")["pid"], signal.SIGKILL)
        until(lambda: appliance.service("portal")["state"] == "failed", 90, "the portal is given up on for a while")
        until(lambda: box.messages, 60, "the mail server has a message")
        assert "portal, a part of chat.example.org, keeps failing" in box.messages[0].get_content()
        assert {service["name"] for service in appliance.status()["services"] if service["state"] == "ready"} == {"prosody", "nginx", "coturn"}


def test_that_it_has_ended_for_good_is_told_with_what_can_still_be_read_of_the_settings() -> None:
    with without_pebble("ended") as appliance, mailbox(appliance.folder) as box:
        def told(*lines: str) -> int:
            appliance.config.write_text("\n".join(["SNIKKET_ADMIN_EMAIL=admin@example.org", *lines, "nonsense", "SNIKKET_RETENTION_DAYS=soon"]))
            return appliance.snikket("tell-failure").returncode

        mail = f"SNIKKET_SMTP_URL={box.url};insecure"
        assert told("SNIKKET_DOMAIN=chat.example.org", mail) == 0
        assert told("SNIKKET_DOMAIN=chat example", mail) == 0
        for message, name in zip(box.messages, ("chat.example.org", "snikket.invalid"), strict=True):
            assert message["Subject"] == f"{name}: Snikket has ended, and is not started again by itself."
            assert "SNIKKET_RETENTION_DAYS" in message.get_content() and "s3cret" not in message.get_content()
        assert message["To"] == "<admin@example.org>" or "admin@example.org" in message["To"]
        # Nowhere to send it is no failure; a mail server that does not take it is one.
        assert told("SNIKKET_DOMAIN=chat.example.org") == 0
        assert told("SNIKKET_DOMAIN=chat.example.org", "SNIKKET_SMTP_URL=ftp://example.org") == 0
        assert told("SNIKKET_DOMAIN=chat.example.org", f"SNIKKET_SMTP_URL={box.url}") == 1
        appliance.config.unlink()
        assert appliance.snikket("tell-failure").returncode == 0
        assert len(box.messages) == 2
