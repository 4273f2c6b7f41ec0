"""Waits for the rate limit of a store's API. Only commands wait; tasks are retried later instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.context import Context
from pipeline.core.errors import CratewireError, RateLimited
from pipeline.hook_registration.sync import sync_hooks

R = TypeVar("R")

MAX_WAIT_S = 120.0  # a command waits in total
Notify = Callable[[str], None]


class WaitBudget:
    """The time that a command may still wait, and how it reports a wait."""

    def __init__(self, notify: Notify, max_wait_s: float = MAX_WAIT_S) -> None:
        self._notify = notify
        self._seconds_left = max_wait_s
        self._has_notified = False

    def wait(self, seconds: float, why: str) -> None:
        """Sleep. Raises CratewireError with `why` if the budget is too small. The first longer wait is reported."""
        if seconds > self._seconds_left:
            raise CratewireError(why)
        if seconds > 1 and not self._has_notified:
            self._has_notified = True
            self._notify(why)
        self._seconds_left -= seconds
        time.sleep(seconds)

    def call_when_allowed(self, call: Callable[[], R]) -> R:
        """Repeat the call until the rate limit allows it."""
        while True:
            try:
                return call()
            except RateLimited as wait:
                self.wait(wait.seconds, str(wait))


def sync_until_done(context: Context, store_id: int, wait_budget: WaitBudget, *, audit_only: bool = False) -> None:
    """Run passes until the hooks have been checked and, unless `audit_only`, ours are repaired."""
    while not (result := sync_hooks(context, store_id, audit_only=audit_only)).done:
        consequence = "nothing was checked" if audit_only else "the rest is done in the background"
        wait_budget.wait(result.wait, f"{result.reason or 'it takes long'}: {consequence}")
