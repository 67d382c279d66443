"""The page that people see while the service comes up, or a part of it is down: in words, by itself, and over in time."""

import os
import signal

from selenium.webdriver.common.by import By

from world import web
from world.appliance import Appliance, with_pebble, without_pebble
from world.browser import becomes, chromium, says
from world.waiting import until
from world.waiting_page import looks_like_a_wait, steps, waiting


def on_port_80(appliance: Appliance) -> web.Answer:
    return web.ask(f"http://{appliance.domain}:{appliance.ports.http}/")


def test_the_certificate_is_followed_step_by_step_while_a_slow_authority_makes_up_its_mind() -> None:
    slow = {"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "8"}
    with with_pebble("slow", pebble_environment=slow) as (appliance, _):
        appliance.start()
        answer = until(lambda: on_port_80(appliance), 30, "port 80 answers")
        assert looks_like_a_wait(answer), answer
        assert set(steps(answer.text)) == {"Certificate", "Chat", "Web pages", "Calls"}
        assert 'http-equiv="refresh"' in answer.text and "<script" not in answer.text
        seen = until(lambda: named(steps(on_port_80(appliance).text), "the authority looks at the proof"), 30, "the page says what goes on")
        assert seen["Chat"] == seen["Web pages"] == seen["Calls"] == "waiting"
        appliance.line("ready ", 60)
        assert on_port_80(appliance).status == 301


def named(found: dict[str, str], words: str) -> dict[str, str] | None:
    return found if found["Certificate"].startswith(words) else None


def test_somebody_who_waits_in_a_browser_is_led_to_the_service_when_it_is_there() -> None:
    with with_pebble("browser") as (appliance, authority):
        pebble = authority.processes[-1].pid
        os.kill(pebble, signal.SIGSTOP)
        try:
            appliance.start()
            until(lambda: on_port_80(appliance), 30, "port 80 answers")
            with chromium(appliance.trust) as browser:
                browser.get(f"http://{appliance.domain}:{appliance.ports.http}/")
                assert "Getting ready" in browser.title
                says(browser, "Certificate", "ul.steps li.working .part")
                os.kill(pebble, signal.SIGCONT)
                appliance.line("ready ", 90)
                portal = f"https://{appliance.domain}:{appliance.ports.https}/"
                becomes(browser, lambda page: page.current_url == portal, "the browser is not at the portal", 30)
                becomes(
                    browser, lambda page: "Getting ready" not in page.title and not page.find_elements(By.CSS_SELECTOR, "ul.steps"),
                    "it does not show the portal", 30)
        finally:
            os.kill(pebble, signal.SIGCONT)


def test_a_part_that_fails_later_is_named_and_not_a_word_of_why() -> None:
    with without_pebble("failing", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        appliance.started()
        appliance.healthy()
        file = appliance.state / "run/portal/portal.json"
        good = file.read_text()
        file.write_text("{}")
        os.kill(appliance.service("portal")["pid"], signal.SIGKILL)
        answer = until(lambda: waiting(appliance, "/", "Web pages", "failed; it is tried again at "), 60, "the page says when it is tried again")
        assert steps(answer.text)["Chat"] == "ready" and "Certificate" not in steps(answer.text)
        assert "One moment" in answer.text
        assert "portal" not in answer.text.lower() and "json" not in answer.text.lower(), "strangers learn nothing"
        file.write_text(good)
        until(lambda: appliance.get("/").status == 200, 60, "the pages are back")


def test_the_page_is_written_only_when_its_words_change(appliance: Appliance) -> None:
    page = appliance.state / "run/nginx/pages/waiting.html"
    until(lambda: "One moment" in page.read_text() and set(steps(page.read_text()).values()) == {"ready"}, 20, "everything is ready")
    before, serial = page.stat().st_ino, appliance.status()["certificate"]["serial"]
    # Every server that has a new certificate goes through two states with the same words.
    assert appliance.snikket("certificate", "renew", seconds=60).returncode == 0
    assert appliance.healthy(60)["certificate"]["serial"] != serial
    assert page.stat().st_ino == before
