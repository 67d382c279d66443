"""Waiting for something to become true, never for time to pass."""

import select
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Late(AssertionError):
    """What was waited for did not happen before its deadline."""


def until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The first true value of `condition`; `Late` when there is none within `seconds`.

    A condition that raises OSError counts as not yet true: what is waited for is often not listening yet.
    """
    deadline = time.monotonic() + seconds
    problem: Exception | None = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except (OSError, EOFError) as error:
            problem = error
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds} s" + (f" ({problem!r})" if problem else ""))
        select.select([], [], [], 0.05)
