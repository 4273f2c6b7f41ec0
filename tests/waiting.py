"""The one place where a test waits for another process or thread: it asks again and again, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

TIMEOUT_S = 120.0  # a loaded machine; a test waits no longer than the condition takes
INTERVAL_S = 0.02

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    describe: Callable[[], object] = lambda: "the condition did not become true",
    *,
    meanwhile: Callable[[], object] | None = None,
    timeout_s: float = TIMEOUT_S,
    interval_s: float = INTERVAL_S,
) -> T:
    """The first true value of `condition`.

    `describe` makes the text of the AssertionError after `timeout_s`; `meanwhile` is called after every false value.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, describe()
        if meanwhile is not None:
            meanwhile()
        time.sleep(interval_s)
    return value
