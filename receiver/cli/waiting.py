"""Waits for the budget of a store's API, as only a command may: a human is looking on, and no worker is held up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.context import Context
from pipeline.core.errors import CratewireError, RateLimited
from pipeline.hook_registration.sync import sync_hooks

R = TypeVar("R")

MAX_WAIT_S = 120.0  # seconds a command waits in all
Notify = Callable[[str], None]


class WaitBudget:
    """How long a command still waits, and how it says so."""

    def __init__(self, notify: Notify, max_wait_s: float = MAX_WAIT_S) -> None:
        self._say = notify
        self._left = max_wait_s
        self._said = False

    def wait(self, seconds: float, why: str) -> None:
        """Sleep so long. Raise CratewireError instead if that is too long."""
        if seconds > self._left:
            raise CratewireError(why)
        if seconds > 1 and not self._said:
            self._said = True
            self._say(why)
        self._left -= seconds
        time.sleep(seconds)

    def call_when_allowed(self, ask: Callable[[], R]) -> R:
        """Ask until the budget lets the question through."""
        while True:
            try:
                return ask()
            except RateLimited as wait:
                self.wait(wait.seconds, str(wait))


def sync_until_done(context: Context, store_id: int, wait_budget: WaitBudget, *, audit_only: bool = False) -> None:
    """Pass after pass, until the hooks have been looked at and what is ours is mended."""
    while not (tended := sync_hooks(context, store_id, audit_only=audit_only)).done:
        rest = "nothing was looked at" if audit_only else "what is left is done in the background"
        wait_budget.wait(tended.wait, f"{tended.reason or 'it takes long'}: {rest}")
