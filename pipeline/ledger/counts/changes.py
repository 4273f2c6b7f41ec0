"""Changes of the kept counts, written by the transaction that makes them: a few rows for a whole batch of hooks.

They are only inserted, so that no transaction waits for another's count; `fold` adds them to the tables of counts every
few seconds, and every query adds those that are left. An event counts by its outcome, in the hour in which its hook was
received. What became of the messages of a forwarded event is not counted here, but read from its open and refused ones:
`pipeline.ledger.counts.messages`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Insert
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.ledger.counts.keys import CountKey
from pipeline.ledger.schema.counts import CountChange, EventRepeat
from pipeline.ledger.sql.bulk import execute_bulk, insert_rows

_REPEATS = EventRepeat.__table__


def add_changes(conn: Connection, changes: Mapping[CountKey, int]) -> None:
    """Write these changes; numbers of 0 are left out."""
    rows = [{**key._asdict(), "number": number} for key, number in changes.items() if number]
    insert_rows(conn, CountChange.__table__, rows)


def add_repeats(conn: Connection, hours: Mapping[tuple[int, int, int], int]) -> None:
    """Add to the hours in which events were repeated: {(store id, event id, hour since the epoch): times}."""
    rows = [
        {"store_id": store_id, "event_id": event_id, "hour": hour, "times": times}
        for (store_id, event_id, hour), times in sorted(hours.items())
    ]
    execute_bulk(conn, _ADD_REPEATS[conn.dialect.name], rows)


def _build_add_repeats(made: postgresql.Insert | sqlite.Insert) -> Insert:
    key = ("store_id", "event_id", "hour")
    return made.on_conflict_do_update(index_elements=key, set_={"times": _REPEATS.c.times + made.excluded.times})


# Built once: building a statement costs more than running it.
_ADD_REPEATS: dict[str, Insert] = {
    "sqlite": _build_add_repeats(sqlite.insert(_REPEATS)),
    "postgresql": _build_add_repeats(postgresql.insert(_REPEATS)),
}
