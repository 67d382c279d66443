"""What the tests share. An appliance's output and logs are shown when a test that used it fails."""

import os
import signal
from collections.abc import Iterator

import pytest
from _pytest import runner

from world.appliance import Appliance, with_pebble
from world.authority import Authority
from world.people import Account


# Who runs the tests in the background, or with nohup, ignores signals, and what is ignored is inherited by all the programs that are to hear them.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

# Cases run in threads beside the tests and start programs. pytest notes the test of the moment in the environment, which is shared memory while a program
# is being started: the kernel that reads it in the middle of a change answers EFAULT, or the program lacks a variable. So nothing changes it.
assert callable(runner._update_current_test_var)
runner._update_current_test_var = lambda item, when: None

# Only root can give servers users of their own: Tests/run gives this folder to root when it is somebody else itself.
if os.geteuid() != 0:
    collect_ignore = ["as_root"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="every case of the sweeps, not a sample of them")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether sweeps are to be whole."""
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def home() -> Iterator[tuple[Appliance, Authority]]:
    """An appliance that was started from an empty state directory and a two-line snikket.conf, and its Pebble."""
    with with_pebble("home") as (appliance, authority):
        yield appliance.started(), authority


@pytest.fixture
def appliance(home: tuple[Appliance, Authority]) -> Appliance:
    """The one that tests share: leave it as healthy as it was."""
    return home[0]


@pytest.fixture
def authority(home: tuple[Appliance, Authority]) -> Authority:
    return home[1]


@pytest.fixture(scope="session")
def alice(home: tuple[Appliance, Authority]) -> Account:
    """Somebody who registered on the web page of an invitation, in Chromium."""
    from test_registration import register_on_the_web

    account = home[0].account("alice", "correct horse battery")
    register_on_the_web(home[0], home[0].invite()["url"], account)
    return account


@pytest.fixture(scope="session")
def bob(home: tuple[Appliance, Authority]) -> Account:
    """Somebody whose app registered in-band with the token of an invitation."""
    import asyncio

    from world.people import register

    account = home[0].account("bob", "staple battery horse")
    asyncio.run(register(account, home[0].invite()["token"]))
    return account


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            appliance = value[0] if isinstance(value, tuple) and value else value
            if isinstance(appliance, Appliance):
                report.sections.append(("the appliance", appliance.everything_said()))
                break
    return report
