"""Kill -9 of any one server: it is back and ready, and people can log in again, without anybody acting."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from world import turn
from world.appliance import Appliance, without_pebble
from world.people import Account, logged_in, register
from world.stream import sign_in
from world.waiting import until


@pytest.fixture(scope="module")
def survivor() -> Iterator[Appliance]:
    with without_pebble("crashes", settings={"SNIKKET_CERTIFICATE": "internal"}) as appliance:
        yield appliance.started()


@pytest.fixture(scope="module")
def eve(survivor: Appliance) -> Account:
    account = survivor.account("eve", "a password to keep")
    asyncio.run(register(account, survivor.invite()["token"]))
    return account


@pytest.mark.parametrize("name", ["prosody", "nginx", "coturn", "portal"])
def test_a_killed_server_comes_back(survivor: Appliance, eve: Account, name: str) -> None:
    before = survivor.healthy()
    victim = next(service for service in before["services"] if service["name"] == name)
    os.kill(victim["pid"], signal.SIGKILL)

    def back() -> bool:
        status = survivor.status()
        service = next(service for service in status["services"] if service["name"] == name)
        return status["healthy"] and service["pid"] not in (None, victim["pid"]) and service["restarts"] > victim["restarts"]

    until(back, 30, f"{name} is back")
    sign_in(eve.domain, eve.port, eve.trust, eve.username, eve.password)
    assert survivor.get(f"/invite/{survivor.invite()['token']}/").status == 200
    assert turn.binding(survivor.ports.turn)[0] == "127.0.0.1"
    others = {service["name"]: service["pid"] for service in before["services"] if service["name"] != name}
    after = {service["name"]: service["pid"] for service in survivor.status()["services"] if service["name"] != name}
    assert after == others, "servers that were well were restarted too"


def test_what_was_running_beside_it_keeps_its_connections(survivor: Appliance, eve: Account) -> None:
    async def stay() -> None:
        async with logged_in(eve) as person:
            os.kill(survivor.service("nginx")["pid"], signal.SIGKILL)
            await asyncio.to_thread(until, lambda: survivor.get("/").status < 500, 30, "the pages are back")
            await person.plugin["xep_0199"].ping(jid=eve.domain, timeout=20)

    asyncio.run(stay())
    survivor.healthy()
