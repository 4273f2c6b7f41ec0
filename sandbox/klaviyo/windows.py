"""Klaviyo's rate limits: fixed windows of a second and of a minute, for each account and endpoint."""

from collections import Counter
from collections.abc import Callable
from math import ceil

TIERS = {"xs": (1, 15), "s": (3, 60), "m": (10, 150), "l": (75, 700), "xl": (350, 3500)}  # calls a second, a minute
DOCUMENTED = "documented"  # each endpoint by its own tier
LENGTHS_S = (1, 60)


class Windows:
    """The windows of one account."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Count calls by this clock, in seconds."""
        self._now = now
        self._calls: Counter[tuple[str, int, int]] = Counter()

    def take(self, endpoint: str, tier: str | None) -> tuple[dict[str, str], int | None]:
        """Count a call. Return the headers of its answer, and the whole seconds to wait if it is one too many."""
        if tier is None:
            return {}, None
        now = self._now()
        keys = [(endpoint, length, int(now // length)) for length in LENGTHS_S]
        waits = [
            max(1, ceil((key[2] + 1) * key[1] - now))
            for key, limit in zip(keys, TIERS[tier], strict=True)
            if self._calls[key] >= limit
        ]
        if waits:
            return {}, max(waits)
        self._calls.update(keys)
        left = [limit - self._calls[key] for key, limit in zip(keys, TIERS[tier], strict=True)]
        shown = left.index(min(left))  # the window with the fewest calls left: a choice of this sandbox
        ends = (keys[shown][2] + 1) * LENGTHS_S[shown]
        return {
            "RateLimit-Limit": str(TIERS[tier][shown]),
            "RateLimit-Remaining": str(left[shown]),
            "RateLimit-Reset": str(max(0, ceil(ends - now))),
        }, None
