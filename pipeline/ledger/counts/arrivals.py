"""How long events take from the hook to the platform: counted in steps of time, by the hour in which they arrived."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, TextClause, text

from pipeline.ledger.counts.keys import HOUR_US

_SECOND_US = 1_000_000
_PREFIX = "took_"
# The steps, in seconds; what took longer than the last one counts as one day more.
STEPS_S = (
    *(0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0),
    *(15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0, 172_800.0),
)
OUTCOMES = tuple(f"{_PREFIX}{step:02}" for step in range(len(STEPS_S)))
_STEPS_US = tuple(round(step * _SECOND_US) for step in STEPS_S)


def _build_count(ids: str) -> TextClause:
    """The statement that counts arrivals by step. Its parts are constants."""
    pairs = zip(_STEPS_US, OUTCOMES, strict=True)
    steps = " ".join(f"WHEN took <= {step} THEN '{outcome}'" for step, outcome in pairs)
    # Not an arrival: a replayed message or hook, a copy that was written late, and whatever is not the event's first.
    arrived = (
        "SELECT DISTINCT event.id, event.store_id, :now - event.received_at AS took "  # noqa: S608 constants only
        f"FROM deliveries AS mine JOIN events AS event ON event.id = mine.event_id WHERE mine.id IN ({ids}) "
        "AND mine.replayed_at IS NULL AND mine.created_at <= event.recorded_at AND event.source <> 'replay' "
        "AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier WHERE earlier.event_id = event.id "
        "AND earlier.kind = 'event' AND earlier.status = 'sent' AND earlier.done_at < :now)"
    )
    return text(
        "INSERT INTO count_changes (store_id, hour, name, outcome, number) "  # noqa: S608 constants only
        f"SELECT store_id, :hour, '', CASE {steps} ELSE '{OUTCOMES[-1]}' END, count(*) "
        f"FROM ({arrived}) AS arrived GROUP BY 1, 4"
    )


# One statement, built once: settling is on the way of every hook.
_COUNT = {
    "sqlite": _build_count("SELECT value FROM json_each(:ids)"),
    "postgresql": _build_count("SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON))"),
}


def count_arrivals(conn: Connection, delivery_ids: Collection[int], now: int) -> None:
    """Count the events that have arrived at a platform for the first time, with these messages, settled at this time.

    What was held back on purpose, and sent again or later, says nothing about how long an event takes.
    """
    if delivery_ids:
        params = {"ids": json.dumps(sorted(delivery_ids)), "now": now, "hour": now // HOUR_US}
        conn.execute(_COUNT[conn.dialect.name], params)


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
