"""Cases that mostly wait, run beside each other: each test looks at its own."""

from concurrent.futures import Future, ThreadPoolExecutor
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def beside_each_other(request: pytest.FixtureRequest, parameter: str, run: Callable[[Any], Any], width: int = 10) -> Iterator[dict[str, "Future[Any]"]]:
    """What `run` makes of each case that was chosen, by its name; the tests of this module have them as `parameter`."""
    chosen = [item.callspec.params[parameter] for item in request.session.items
              if item.path == request.path and hasattr(item, "callspec") and parameter in item.callspec.params]
    pool = ThreadPoolExecutor(width)
    try:
        yield {case.name: pool.submit(run, case) for case in chosen}
    finally:
        pool.shutdown(cancel_futures=True)
