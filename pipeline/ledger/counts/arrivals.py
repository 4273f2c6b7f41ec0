"""How long events take from the hook to the platform: counted in steps of time, by the hour in which they arrived."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, TextClause, text

from pipeline.ledger.counts.keys import ARRIVAL_STEPS_S, ARRIVALS, HOUR_US

_SECOND_US = 1_000_000
_STEPS_US = tuple(round(step * _SECOND_US) for step in ARRIVAL_STEPS_S)


def _build_count(ids: str) -> TextClause:
    """The statement that counts arrivals by step. Its parts are constants."""
    pairs = zip(_STEPS_US, ARRIVALS, strict=True)
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
        f"SELECT store_id, :hour, '', CASE {steps} ELSE '{ARRIVALS[-1]}' END, count(*) "
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
    left = sum(counts.get(outcome, 0) for outcome in ARRIVALS) * share
    if not left:
        return None
    for step, outcome in zip(ARRIVAL_STEPS_S, ARRIVALS, strict=True):
        left -= counts.get(outcome, 0)
        if left <= 0:
            return step
    return ARRIVAL_STEPS_S[-1]
