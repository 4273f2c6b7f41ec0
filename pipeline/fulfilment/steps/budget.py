"""Waits for the store's budget of requests, where a person waits for the whole: an export, or a freeze."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pipeline.core.errors import RateLimited

MAX_WAITS = 100  # of one slice
T = TypeVar("T")


def wait_for_budget(step: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Do this step, and wait while the budget is used up. Raises RateLimited after many waits."""
    for _ in range(MAX_WAITS):
        try:
            return step()
        except RateLimited as wait:
            sleep(wait.seconds)
    return step()
