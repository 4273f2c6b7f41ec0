"""What is remembered of deleted events and dead hooks: identities, so that a repeat is recognised, and counts.

The kept counts stay. What they do not say of an event, that its messages were refused or set aside, is added to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, insert, select

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.fold import raise_mark
from pipeline.ledger.counts.keys import DELETED, HOUR_US, NO_NAME, CountKey
from pipeline.ledger.counts.messages import FORWARDED, select_states
from pipeline.ledger.schema.core import DeadHook, Delivery, Event
from pipeline.ledger.schema.retention import PastCount, PastEvent
from pipeline.ledger.sql.tables import insert_into

DEAD, REPLAYED = "dead", "replayed"  # outcomes of dead hooks, beside those of events


def remember_events(conn: Connection, ids: Sequence[int]) -> None:
    """Remember the identities of these events, and count them. They are deleted in the same transaction."""
    identity = select(Event.store_id, Event.happening, Event.id, Event.received_at).where(Event.id.in_(ids))
    conn.execute(insert(PastEvent).from_select(["store_id", "happening", "event_id", "received_at"], identity))
    columns = (Event.store_id, Event.name, Event.outcome)
    counts = select(*columns, func.count().label("number"))
    _add(conn, conn.execute(counts.where(Event.id.in_(ids)).group_by(*columns)))
    _count_not_sent(conn, ids)
    newest = conn.execute(select(func.max(Event.received_at)).where(Event.id.in_(ids))).scalar_one()
    raise_mark(conn, "events", newest // HOUR_US)


def _count_not_sent(conn: Connection, ids: Sequence[int]) -> None:
    """Count the forwarded ones among these events that never were at the platform."""
    states = select_states(Delivery.event_id.in_(ids)).subquery()
    query = select(Event.store_id, Event.received_at, states.c.state).join(states, states.c.event_id == Event.id)
    changes: Counter[CountKey] = Counter()
    for row in conn.execute(query.where(Event.outcome == FORWARDED, states.c.state.in_(DELETED))):
        changes[CountKey(row.store_id, row.received_at // HOUR_US, NO_NAME, DELETED[row.state])] += 1
    add_changes(conn, changes)


def count_dead_hooks(conn: Connection, ids: Sequence[int], cutoff: int) -> None:
    """Count these dead hooks, by whether a replay has made events of them."""
    outcome = case((DeadHook.replayed_at.is_(None), DEAD), else_=REPLAYED).label("outcome")
    store_id = func.coalesce(DeadHook.store_id, 0).label("store_id")
    counts = select(store_id, DeadHook.event.label("name"), outcome, func.count().label("number"))
    old = DeadHook.id.in_(ids), DeadHook.died_at < cutoff
    _add(conn, conn.execute(counts.where(*old).group_by(store_id, DeadHook.event, outcome)))
    newest = conn.execute(select(func.max(DeadHook.received_at)).where(*old)).scalar()
    if newest is not None:
        raise_mark(conn, "dead_hooks", newest // HOUR_US)


def _add(conn: Connection, counts: Iterable[Any]) -> None:
    rows = [{"duplicates": 0, **row._asdict()} for row in counts]
    if not rows:
        return
    statement = insert_into(conn, PastCount)
    more = {"number": PastCount.number + statement.excluded.number}
    key = ["store_id", "name", "outcome"]
    conn.execute(statement.on_conflict_do_update(index_elements=key, set_=more), rows)
