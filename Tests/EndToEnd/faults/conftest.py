"""What the tests of faults share: an appliance for each file, and a list of how long everything took."""

from collections.abc import Callable, Iterator

import pytest

from world.stage import Stage, stage

_measured: list[str] = []


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The one that the tests of a file share: each leaves it as well as it was."""
    with stage(request.module.__name__.removeprefix("test_")) as made:
        yield made


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Notes how many seconds something took, for the end of the run."""
    return lambda what, seconds: _measured.append(f"{seconds:8.2f} s  {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _measured:
        terminalreporter.section("how long the faults took")
        for line in _measured:
            terminalreporter.write_line(line)
