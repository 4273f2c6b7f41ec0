"""How long events take from the hook to the platform: counted in steps of time, by the hour in which they arrived."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.keys import HOUR_US, NO_NAME, CountKey
from pipeline.ledger.schema.core import Event
from pipeline.ledger.sql.tables import get_table, select_by_keys

_SECOND_US = 1_000_000
_PREFIX = "took_"
# The steps, in seconds; what took longer than the last one counts as one day more.
STEPS_S = (
    *(0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0),
    *(15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0, 172_800.0),
)
OUTCOMES = tuple(f"{_PREFIX}{step:02}" for step in range(len(STEPS_S)))
_STEPS_US = tuple(round(step * _SECOND_US) for step in STEPS_S)
_EVENT = get_table(Event).c
_KEY, _COLUMNS = (_EVENT.id,), (_EVENT.store_id, _EVENT.received_at)


def count_arrivals(conn: Connection, event_ids: Collection[int], now: int) -> None:
    """Count that a message of each of these events has arrived at its platform."""
    if not event_ids:
        return
    rows = select_by_keys(conn, _COLUMNS, _KEY, ((event_id,) for event_id in event_ids))
    hour = now // HOUR_US
    add_changes(
        conn, Counter(CountKey(row.store_id, hour, NO_NAME, _find_outcome(now - row.received_at)) for row in rows)
    )


def find_percentile(counts: Mapping[str, int], share: float) -> float | None:
    """Within how many seconds this share of the arrivals was at the platform: the end of a step. None: nothing came."""
    left = sum(counts.get(outcome, 0) for outcome in OUTCOMES) * share
    if not left:
        return None
    for step, outcome in zip(STEPS_S, OUTCOMES, strict=True):
        left -= counts.get(outcome, 0)
        if left <= 0:
            return step
    return STEPS_S[-1]


def _find_outcome(took_us: int) -> str:
    return OUTCOMES[min(bisect_left(_STEPS_US, took_us), len(OUTCOMES) - 1)]
