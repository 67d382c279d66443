"""A domain with letters beyond ASCII: people write it as it is, the DNS and certificates have its other form (RFC 5890)."""

import asyncio
from collections.abc import Iterator

import pytest

from world import web
from world.appliance import Appliance, without_pebble
from world.people import Account, logged_in, register
from world.stream import sign_in

DOMAIN = "münchen.example"
ASCII = "xn--mnchen-3ya.example"


@pytest.fixture(scope="module", params=[DOMAIN, ASCII])
def munich(request: pytest.FixtureRequest) -> Iterator[Appliance]:
    """However the settings write it, it is the same chat service."""
    configuration = f"SNIKKET_DOMAIN={request.param}\nSNIKKET_ADMIN_EMAIL=admin@example.org\nSNIKKET_CERTIFICATE=internal\n"
    with without_pebble("idn", configuration=configuration) as appliance:
        appliance.domain = DOMAIN
        yield appliance.started()


@pytest.fixture(scope="module")
def somebody(munich: Appliance) -> Account:
    account = munich.account("jürgen", "weißwurst vor zwölf")
    asyncio.run(register(account, munich.invite()["token"]))
    return account


def test_it_becomes_healthy(munich: Appliance) -> None:
    status = munich.healthy()
    assert set(status["certificate"]["names"]) == {ASCII, f"groups.{ASCII}", f"share.{ASCII}"}


def test_the_invitation_opens(munich: Appliance) -> None:
    url = munich.invite()["url"]
    path = "/" + url.split("/", 3)[3]
    assert web.ask(f"https://{ASCII}:{munich.ports.https}{path}", munich.trust).status == 200


def test_somebody_logs_in(munich: Appliance, somebody: Account) -> None:
    sign_in(DOMAIN, munich.ports.client, munich.trust, somebody.username, somebody.password)


def test_an_app_logs_in_and_gets_an_answer(munich: Appliance, somebody: Account) -> None:
    async def ask() -> set[str]:
        async with logged_in(somebody) as person:
            return await person.features_of(DOMAIN)

    assert "urn:xmpp:ping" in asyncio.run(ask())
