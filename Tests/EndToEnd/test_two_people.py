"""What two people do with it: talk, look back, share a file, call, meet in a group."""

import asyncio

import pytest

from world import turn, web
from world.appliance import Appliance
from world.people import Account, Slot, logged_in
from world.turn import TURNError


def test_messages_arrive_both_ways(alice: Account, bob: Account) -> None:
    async def talk() -> None:
        async with logged_in(alice) as a, logged_in(bob) as b:
            a.send_message(mto=bob.address, mbody="hello bob", mtype="chat")
            heard = await b.next_message()
            assert (heard["body"], heard["from"].bare) == ("hello bob", alice.address)
            b.send_message(mto=heard["from"], mbody="hello alice", mtype="chat")
            heard = await a.next_message()
            assert (heard["body"], heard["from"].bare) == ("hello alice", bob.address)

    asyncio.run(talk())


def test_a_message_waits_for_somebody_who_is_away(alice: Account, bob: Account) -> None:
    async def talk() -> None:
        async with logged_in(alice) as a:
            a.send_message(mto=bob.address, mbody="read this later", mtype="chat")
            await a.plugin["xep_0199"].ping(jid=alice.domain, timeout=20)
        async with logged_in(bob) as b:
            assert (await b.next_message())["body"] == "read this later"

    asyncio.run(talk())


def test_both_find_what_was_said_in_their_archives(alice: Account, bob: Account) -> None:
    async def talk() -> None:
        async with logged_in(alice) as a, logged_in(bob) as b:
            a.send_message(mto=bob.address, mbody="question for the record", mtype="chat")
            await b.next_message()
            b.send_message(mto=alice.address, mbody="answer for the record", mtype="chat")
            await a.next_message()
            for person, other in ((a, bob), (b, alice)):
                assert (await person.archive_with(other.address))[-2:] == ["question for the record", "answer for the record"]

    asyncio.run(talk())


def test_a_second_device_gets_copies(alice: Account, bob: Account) -> None:
    async def talk() -> None:
        async with logged_in(alice) as phone, logged_in(alice) as laptop, logged_in(bob) as b:
            copies: asyncio.Queue = asyncio.Queue()
            laptop.add_event_handler("carbon_sent", copies.put_nowait)
            await laptop.plugin["xep_0280"].enable(timeout=20)
            phone.send_message(mto=bob.address, mbody="from the phone", mtype="chat")
            await b.next_message()
            copy = await asyncio.wait_for(copies.get(), 20)
            assert copy["carbon_sent"]["body"] == "from the phone"

    asyncio.run(talk())


def test_a_file_is_shared(alice: Account, bob: Account) -> None:
    picture = bytes(range(256)) * 700

    async def share() -> Slot:
        async with logged_in(alice) as a:
            return await a.upload_slot("holiday photo.png", len(picture), "image/png")

    slot = asyncio.run(share())
    assert slot.put.startswith("https://share."), slot
    uploaded = web.ask(slot.put, alice.trust, method="PUT", body=picture, headers=slot.headers)
    assert uploaded.status == 201, uploaded.text
    downloaded = web.ask(slot.get, bob.trust)
    assert (downloaded.status, downloaded.body) == (200, picture)
    part = web.ask(slot.get, bob.trust, headers={"Range": "bytes=256-511"})
    assert (part.status, part.body) == (206, bytes(range(256)))
    without_credentials = web.ask(slot.put.partition("?")[0] + "x", alice.trust, method="PUT", body=b"x")
    assert without_credentials.status in (401, 403, 404), without_credentials.status


def test_calls_get_a_relay_with_the_credentials_that_were_handed_out(appliance: Appliance, alice: Account) -> None:
    async def ask() -> list[dict[str, str]]:
        async with logged_in(alice) as a:
            return await a.turn_services()

    services = asyncio.run(ask())
    assert {service["type"] for service in services} >= {"stun", "turn", "turns"}, services
    for service in services:
        if service["type"] in ("turn", "turns"):
            assert service.get("username") and service.get("password"), service
    relay = next(s for s in services if s["type"] == "turn" and s.get("transport", "udp") == "udp")
    port = int(relay["port"])
    assert port == appliance.ports.turn
    assert turn.binding(port)[0] == "127.0.0.1"
    assert turn.allocate(port, relay["username"], relay["password"])[1] >= 1024
    with pytest.raises(TURNError) as refused:
        turn.allocate(port, relay["username"], "invented")
    assert refused.value.code == 401


def test_a_group_chat(appliance: Appliance, alice: Account, bob: Account) -> None:
    room = f"family@groups.{appliance.domain}"

    async def meet() -> None:
        async with logged_in(alice) as a, logged_in(bob) as b:
            joined = await a.plugin["xep_0045"].join_muc_wait(room, "Alice", timeout=20)
            if 201 in joined[0]["muc"]["status_codes"]:
                form = await a.plugin["xep_0045"].get_room_config(room, timeout=20)
                form["type"] = "submit"
                await a.plugin["xep_0045"].set_room_config(room, config=form, timeout=20)
            await a.plugin["xep_0045"].set_affiliation(room, "member", jid=bob.address, timeout=20)
            await b.plugin["xep_0045"].join_muc_wait(room, "Bob", timeout=20)
            a.send_message(mto=room, mbody="welcome", mtype="groupchat")
            assert (await b.next_room_message("welcome"))["mucnick"] == "Alice"
            b.send_message(mto=room, mbody="thanks", mtype="groupchat")
            assert (await a.next_room_message("thanks"))["mucnick"] == "Bob"

    asyncio.run(meet())
