"""Waits for the budget of a store's API, as only a command may: a human is looking on, and no worker is held up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import CratewireError, Wait
from pipeline.registration.care import Care
from pipeline.registration.tending import tend

R = TypeVar("R")

LONGEST = 120.0  # seconds a command waits in all
Say = Callable[[str], None]


class Patience:
    """How long a command still waits, and how it says so."""

    def __init__(self, say: Say, longest: float = LONGEST) -> None:
        self._say = say
        self._left = longest
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

    def until_answered(self, ask: Callable[[], R]) -> R:
        """Ask until the budget lets the question through."""
        while True:
            try:
                return ask()
            except Wait as wait:
                self.wait(wait.seconds, str(wait))


def tend_to_the_end(care: Care, store_id: int, patience: Patience, *, only_look: bool = False) -> None:
    """Pass after pass, until the hooks have been looked at and what is ours is mended."""
    while not (tended := tend(care, store_id, only_look=only_look)).done:
        rest = "nothing was looked at" if only_look else "what is left is done in the background"
        patience.wait(tended.wait, f"{tended.why or 'it takes long'}: {rest}")
