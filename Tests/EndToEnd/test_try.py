"""`snikket try`: a look at it, with no domain, no root and no network."""

import asyncio
import os
import re

from world.appliance import without_pebble
from world.people import register
from world.stream import sign_in
from world.waiting import until


def test_a_look_at_it() -> None:
    with without_pebble("try", verb="try", configuration=None) as appliance:
        # It is started in a folder that it could write to.
        os.chown(appliance.folder, appliance.uid, -1)
        there = set(appliance.folder.iterdir())
        appliance.start()
        address = appliance.line("ready ", 60)
        invitation = appliance.line("invitation ", 20)
        found = re.fullmatch(r"https://([a-z0-9.-]+):(\d+)/?", address)
        assert found, address
        assert int(found[2]) == appliance.ports.https
        assert invitation.startswith(f"https://{found[1]}:{found[2]}/invite/")
        appliance.domain = found[1]
        assert appliance.get("/invite/" + invitation.partition("/invite/")[2]).status == 200
        me = appliance.account("me", "only having a look")
        asyncio.run(register(me, invitation.rstrip("/").rpartition("/")[2]))
        sign_in(me.domain, me.port, me.trust, me.username, me.password)
        assert appliance.stop() == 0
        until(lambda: not appliance.processes(), 15, "no process is left")
        # The one file is the test's own.
        assert set(appliance.folder.iterdir()) - there == {appliance.folder / "root.pem"}


def test_nobody_else_on_the_network_sees_it() -> None:
    with without_pebble("try", verb="try", configuration=None) as appliance:
        appliance.start().line("ready ", 60)
        ours = range(appliance.ports.first, appliance.ports.first + 10)
        outside = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"):
            for line in open(table).read().splitlines()[1:]:
                address, port = line.split()[1].split(":")
                listens = line.split()[3] == ("0A" if "tcp" in table else "07")
                loopback = address.endswith("7F") if len(address) == 8 else address == "00000000000000000000000001000000"
                if listens and int(port, 16) in ours and not loopback:
                    outside.add((table, address, int(port, 16)))
        assert outside == set()
