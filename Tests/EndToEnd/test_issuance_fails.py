"""When the authority will not give a certificate: the cause is shown wherever somebody would look, and it is not the end."""

import html

from world import web
from world.appliance import with_pebble, without_pebble
from world.waiting import until


def test_names_without_addresses() -> None:
    with with_pebble("failing") as (appliance, authority):
        authority.forget_addresses()
        appliance.start()
        until(lambda: "snikket: cause:" in appliance.said, 60, "the terminal shows a cause")
        assert appliance.process is not None and appliance.process.poll() is None, "it gave up"
        assert appliance.domain in appliance.said

        answer = appliance.snikket("status")
        assert answer.returncode == 75, "it is still starting"
        assert "cause:" in answer.stdout
        status = appliance.status()
        assert not status["healthy"]
        error = status["certificate"]["last_error"]
        assert appliance.domain in error["error"] + error["cause"]
        assert error["try"]
        assert status["certificate"]["next_attempt"] is not None

        page = web.ask(f"http://{appliance.domain}:{appliance.ports.http}/")
        assert page.status in (200, 503)
        assert appliance.domain in page.text
        for part in ("error", "cause"):
            assert error[part] in html.unescape(page.text), page.text
        assert "ready " not in appliance.said


def test_an_authority_that_does_not_answer() -> None:
    unreachable = {"SNIKKET_ACME_DIRECTORY": "https://127.0.0.1:9/dir"}
    with without_pebble("unreachable", settings=unreachable) as appliance:
        appliance.start()
        until(lambda: "snikket: cause:" in appliance.said, 60, "the terminal shows a cause")
        assert appliance.status()["certificate"]["last_error"]
        page = web.ask(f"http://{appliance.domain}:{appliance.ports.http}/")
        assert page.status in (200, 503)
        assert appliance.stop() == 0
