"""A program or a library of a server that is replaced under it, as Debian's security updates do: just that server is started again, in the quiet hours."""

import asyncio
import time

from world.appliance import Appliance, without_pebble
from world.people import logged_in, register
from world.replaceable import replaceable
from world.waiting import until

PROGRAM = "/usr/sbin/nginx"
ENCODINGS = "/usr/lib/prosody/util/encodings.so"


def pids(appliance: Appliance) -> dict[str, int]:
    return {service["name"]: service["pid"] for service in appliance.status()["services"]}


def waiting(appliance: Appliance) -> dict | None:
    """What `snikket status` says of it."""
    return next((problem for problem in appliance.status()["problems"] if problem["matter"] == "replaced"), None)


def hours(begin: int, length: int) -> str:
    """So many hours that begin so many hours from now."""
    hour = time.localtime().tm_hour
    return f"{(hour + begin) % 24}-{(hour + begin + length) % 24}"


def test_a_server_whose_program_or_library_was_replaced_is_started_again_in_the_quiet_hours_and_no_other(users: dict[str, int]) -> None:
    later = hours(6, 2)
    with without_pebble("replaced", as_root=True) as appliance, replaceable(appliance) as machine:
        appliance.config.write_text(appliance.config.read_text() + f"SNIKKET_CERTIFICATE=internal\nSNIKKET_QUIET_HOURS={later}\n")
        appliance.started()
        account = appliance.account("dora", "battery staple horse")
        asyncio.run(register(account, appliance.invite()["token"]))
        before = pids(appliance)

        machine.replace(PROGRAM)
        problem = until(lambda: waiting(appliance), 90, "the status tells of it")
        assert problem["cause"] == "nginx: nginx" and later in problem["try"], problem
        assert pids(appliance) == before

        appliance.config.write_text(appliance.config.read_text().replace(later, hours(-1, 4)))
        assert appliance.snikket("reload").returncode == 0
        until(lambda: pids(appliance)["nginx"] not in (before["nginx"], None), 120, "nginx is started again")
        until(lambda: waiting(appliance) is None, 30, "and that is all")
        after = pids(appliance)
        assert {name for name in after if after[name] != before[name]} == {"nginx"}
        assert "nginx is started again: an upgrade has replaced nginx" in appliance.said
        assert appliance.get("/").status == 200

        # Without quiet hours: at once, and whoever was connected comes back.
        appliance.config.write_text("".join(line for line in appliance.config.read_text().splitlines(True) if "QUIET" not in line))
        assert appliance.snikket("reload").returncode == 0
        machine.replace(ENCODINGS)
        until(lambda: pids(appliance)["prosody"] not in (before["prosody"], None), 120, "prosody is started again")
        appliance.healthy()
        assert {name for name, pid in pids(appliance).items() if pid != after[name]} == {"prosody"}
        assert "prosody is started again: an upgrade has replaced encodings.so" in appliance.said

        async def look() -> None:
            async with logged_in(account):
                pass

        asyncio.run(look())
        assert appliance.stop() == 0
