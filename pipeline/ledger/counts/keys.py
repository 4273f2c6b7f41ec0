"""What the kept counts count. Pure: no SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

HOUR_US = 3_600_000_000
OF_NO_STORE = 0  # in the place of a store's id: hooks to a URL of an unknown store
NO_NAME = ""  # in the place of an event's name: the totals stay as they are

# What is counted beside the outcomes of events: hooks that were repeats, and that could not be read; events that only
# the store's API has shown (they count by their outcome as well); and, of forwarded events that were deleted, those
# that were refused, withheld or stopped at last.
DUPLICATE, DEAD, RECOVERED = "duplicate", "dead", "recovered"
DELETED = {"refused": "deleted_refused", "withheld": "deleted_withheld", "kept": "deleted_stopped"}


class CountKey(NamedTuple):
    """What is counted: hooks of one event of one store, received in one hour (since the epoch)."""

    store_id: int
    hour: int
    name: str
    outcome: str


def move(rows: Iterable[tuple[int, int, str, str]], outcome: str) -> Counter[CountKey]:
    """The changes when these events, (store id, received at µs, name, outcome so far), get another outcome."""
    changes: Counter[CountKey] = Counter()
    for store_id, received_at, name, before in rows:
        changes[CountKey(store_id, received_at // HOUR_US, name, before)] -= 1
        changes[CountKey(store_id, received_at // HOUR_US, name, outcome)] += 1
    return changes
