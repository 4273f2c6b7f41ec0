"""What the kept counts count. Pure: no SQL."""

from __future__ import annotations

from typing import NamedTuple

HOUR_US = 3_600_000_000
HOURS_PER_DAY = 24
OF_NO_STORE = 0  # in the place of a store's id: hooks to a URL of an unknown store
NO_NAME = ""  # in the place of an event's name: the totals stay as they are

# What is counted beside the outcomes of events: hooks that were repeats, and that could not be read; events that only
# the store's API has shown (they count by their outcome as well); and, of forwarded events that were deleted, those
# that were refused, withheld or stopped at last.
DUPLICATE, DEAD, RECOVERED = "duplicate", "dead", "recovered"
DELETED = {"refused": "deleted_refused", "withheld": "deleted_withheld", "kept": "deleted_stopped"}
# And how long events took to the platform, by the hour of arriving. The steps, in seconds; what took longer than the
# last one counts as one day more.
ARRIVAL_STEPS_S = (
    *(0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0),
    *(15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0, 172_800.0),
)
ARRIVALS = tuple(f"took_{step:02}" for step in range(len(ARRIVAL_STEPS_S)))
NOT_OF_EVENTS = (DUPLICATE, DEAD, RECOVERED, *DELETED.values(), *ARRIVALS)  # every other outcome counts events


class CountKey(NamedTuple):
    """What is counted: hooks of one event of one store, received in one hour (since the epoch)."""

    store_id: int
    hour: int
    name: str
    outcome: str
