"""Reads and writes monthly statements, and the events that their hash chains are over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Row, select, union_all

from pipeline.events.event_chain import ChainLine
from pipeline.ledger.schema.core import Event
from pipeline.ledger.schema.retention import PastEvent
from pipeline.ledger.schema.statements import Statement
from pipeline.ledger.sql.bulk import insert_rows

_LINES_PER_FETCH = 1_000


def read_lines(conn: Connection, store_id: int, after_id: int, until_id: int) -> Iterator[ChainLine]:
    """The store's events after one id and up to another, in the order of their ids, also those that were deleted."""
    event = select(Event.id, Event.received_at, Event.happening)
    event = event.where(Event.store_id == store_id, Event.id > after_id, Event.id <= until_id)
    past = select(PastEvent.event_id, PastEvent.received_at, PastEvent.happening)
    past = past.where(PastEvent.store_id == store_id, PastEvent.event_id > after_id, PastEvent.event_id <= until_id)
    lines = union_all(event, past).order_by("id").execution_options(yield_per=_LINES_PER_FETCH)
    for row in conn.execute(lines):
        yield ChainLine(*row)


def find_first_received_at(conn: Connection, store_id: int) -> int | None:
    """When the store's first event was received (µs); None if it has none."""
    events = select(Event.id, Event.received_at).where(Event.store_id == store_id).order_by(Event.id).limit(1)
    past = select(PastEvent.event_id, PastEvent.received_at).where(PastEvent.store_id == store_id)
    first = [conn.execute(query).first() for query in (events, past.order_by(PastEvent.event_id).limit(1))]
    return min((row[1] for row in first if row is not None), default=None)


def list_statements(conn: Connection, store_id: int) -> list[Row[tuple[Statement]]]:
    """The store's closed months, the oldest first."""
    table = Statement.__table__
    return list(conn.execute(select(table).where(table.c.store_id == store_id).order_by(table.c.month)).all())


def save_statements(conn: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Write statements. Raises IntegrityError if one of these months is closed already."""
    insert_rows(conn, Statement.__table__, rows)
