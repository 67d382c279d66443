"""An appliance on which faults are put, and two people who use it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from .appliance import Appliance, without_pebble
from .harm import zombies
from .people import Account, register
from .service_watch import assert_serves
from .waiting import until


class Stage(NamedTuple):
    appliance: Appliance
    wendy: Account
    rick: Account

    @property
    def pid(self) -> int:
        """Of `snikket up` itself."""
        assert self.appliance.process is not None
        return self.appliance.process.pid

    def assert_well(self, seconds: float = 60) -> None:
        """Healthy, used, and no child forgotten."""
        self.appliance.healthy(seconds)
        assert_serves(self.appliance, self.wendy)
        until(lambda: not zombies(self.pid), 10, "every child that ended has been waited for")


def peopled(appliance: Appliance) -> Stage:
    """Two people make their accounts on an appliance that serves."""
    people = [appliance.account(name, "a password to keep") for name in ("wendy", "rick")]
    for account in people:
        asyncio.run(register(account, appliance.invite()["token"]))
    return Stage(appliance, *people)


@contextmanager
def stage(name: str, settings: dict[str, str] | None = None, **options: Any) -> Iterator[Stage]:
    with without_pebble(name, settings={"SNIKKET_CERTIFICATE": "internal", **(settings or {})}, **options) as appliance:
        yield peopled(appliance.started())
