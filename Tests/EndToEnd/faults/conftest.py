"""What the tests of faults share: an appliance for each file, and a list of how long everything took."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from world.stage import Stage, stage

_measured: list[str] = []


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The one that the tests of a file share: each leaves it as well as it was."""
    with stage(request.module.__name__.removeprefix("test_")) as made:
        yield made


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Iterator[dict[Any, "Future[Any]"]]:
    """What came of each `case` of this folder: they mostly wait, so they do it beside each other and beside the other tests.

    Each has an appliance of its own; its test is a look at the result.
    """
    cases = dict.fromkeys(
        item.callspec.params["case"] for item in request.session.items
        if item.path.parent == Path(__file__).parent and hasattr(item, "callspec") and hasattr(item.callspec.params.get("case"), "run"))
    pool = ThreadPoolExecutor(6)
    try:
        yield {case: pool.submit(case.run) for case in cases}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def measured() -> Callable[[str, float], None]:
    """Notes how many seconds something took, for the end of the run."""
    return lambda what, seconds: _measured.append(f"{seconds:8.2f} s  {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _measured:
        terminalreporter.section("how long the faults took")
        for line in _measured:
            terminalreporter.write_line(line)
