"""Getting an account: in the browser, in an app, and not at all without an invitation."""

import asyncio
import json

import pytest
from selenium.webdriver.common.by import By

from world.appliance import Appliance
from world.browser import chromium, says, shown
from world.people import Account, RegistrationRefused, logged_in, register


def register_on_the_web(appliance: Appliance, url: str, account: Account) -> None:
    """Follows an invitation's link, and the page's link to register in the browser, and fills in the form."""
    with chromium(appliance.trust) as browser:
        browser.get(url)
        says(browser, appliance.domain)
        apps = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "a[href^='xmpp:']")]
        assert any("preauth=" in link for link in apps), f"no link that an app would open: {apps}"
        if not browser.find_elements(By.NAME, "username"):
            browser.find_element(By.CSS_SELECTOR, "a[href$='/register']").click()
        shown(browser, "[name=username]").send_keys(account.username)
        for field in browser.find_elements(By.CSS_SELECTOR, "input[type=password]"):
            field.send_keys(account.password)
        browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
        says(browser, account.address)


async def _log_in(account: Account) -> str:
    async with logged_in(account) as person:
        return person.boundjid.bare


def test_an_invitation_becomes_an_account_in_the_browser(alice: Account) -> None:
    assert asyncio.run(_log_in(alice)) == alice.address


def test_an_invitation_becomes_an_account_in_an_app(bob: Account) -> None:
    assert asyncio.run(_log_in(bob)) == bob.address


def test_an_invitation_says_what_scripts_rely_on(appliance: Appliance) -> None:
    invitation = appliance.invite()
    assert set(invitation) >= {"url", "uri", "token", "expires", "kind"}
    assert invitation["url"].startswith(f"https://{appliance.domain}:{appliance.ports.https}/invite/")
    assert invitation["token"] in invitation["url"]
    assert invitation["uri"].startswith(f"xmpp:{appliance.domain}?register;preauth={invitation['token']}")


def test_an_invitation_can_be_shown_as_a_qr_code(appliance: Appliance) -> None:
    answer = appliance.snikket("invite", "create", "--qr")
    assert answer.returncode == 0, answer.stderr
    assert "https://" in answer.stdout
    assert any(block in answer.stdout for block in "█▀▄"), "no QR code was drawn"


def test_an_app_can_resolve_an_invitation_link(appliance: Appliance) -> None:
    invitation = appliance.invite()
    page = appliance.get(invitation["url"].partition(f":{appliance.ports.https}")[2])
    assert page.status == 200
    assert invitation["uri"] in page.headers.get("link", ""), page.headers


def test_nobody_registers_without_an_invitation(appliance: Appliance) -> None:
    intruder = appliance.account("mallory", "let me in please")
    with pytest.raises(RegistrationRefused) as refused:
        asyncio.run(register(intruder, None))
    assert refused.value.step == "registration"
    assert "mallory" not in appliance.snikket("user", "list").stdout


def test_nobody_registers_with_an_invented_token(appliance: Appliance) -> None:
    with pytest.raises(RegistrationRefused) as refused:
        asyncio.run(register(appliance.account("mallory", "let me in please"), "AAAAAAAAAAAAAAAAAAAAAAAA"))
    assert refused.value.step == "invitation"
    assert "mallory" not in appliance.snikket("user", "list").stdout


def test_an_invitation_is_good_for_one_account(appliance: Appliance) -> None:
    invitation = appliance.invite()
    asyncio.run(register(appliance.account("carol", "first come first"), invitation["token"]))
    with pytest.raises(RegistrationRefused):
        asyncio.run(register(appliance.account("dave", "second to come"), invitation["token"]))
    assert appliance.get(f"/invite/{invitation['token']}/").status == 404
    listed = appliance.snikket("user", "list").stdout
    assert "carol" in listed and "dave" not in listed


def test_the_first_invitation_makes_an_admin(appliance: Appliance) -> None:
    link = appliance.line("invitation https://", 1)
    token = link.rstrip("/").rpartition("/")[2]
    asyncio.run(register(appliance.account("root-of-all", "in the beginning"), token))
    users = json.loads(appliance.snikket("user", "list", "--json").stdout)
    people = users if isinstance(users, list) else users["users"]
    assert [user["role"] for user in people if user["username"] == "root-of-all"] == ["prosody:admin"]


def test_a_wrong_password_is_refused(appliance: Appliance, bob: Account) -> None:
    from world.people import LoginFailed

    with pytest.raises(LoginFailed, match="refused"):
        asyncio.run(_log_in(appliance.account("bob", "something else")))
