"""When something that failed is tried again, and for how long: Extensiv's hourly attempts, after three quick ones."""

from __future__ import annotations

from typing import Literal

Work = Literal["deliver", "look_up", "confirm", "acknowledge", "cancel"]

_FIRST_WAITS_S = (60, 5 * 60, 15 * 60)
_LATER_WAIT_S = 60 * 60
_DAY_S = 24 * 60 * 60
GIVE_UP_AFTER_S: dict[Work, int] = {
    "deliver": 15 * _DAY_S,
    "look_up": 15 * _DAY_S,
    "confirm": 30 * _DAY_S,
    "acknowledge": 30 * _DAY_S,
    "cancel": 15 * _DAY_S,
}
_SECOND_US = 1_000_000


def find_next_attempt(
    work: Work, failures: int, trying_since: int, now: int, after_s: float | None = None
) -> int | None:
    """Return when (µs) to try again after this failure, or None: it was tried for long enough.

    `failures`: in a row, with this one. `trying_since` (µs): when the first of them was. `after_s`: what the other side
    asked for, if that is longer. Work that is repeated for as long as it takes, such as a person's, has no schedule.
    """
    if now - trying_since >= GIVE_UP_AFTER_S[work] * _SECOND_US:
        return None
    waits = _FIRST_WAITS_S[failures - 1 : failures]
    wait_s = max(waits[0] if waits else _LATER_WAIT_S, after_s or 0)
    return now + round(wait_s * _SECOND_US)
