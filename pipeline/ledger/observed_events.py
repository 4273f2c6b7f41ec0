"""The events that stores' APIs have shown, and whether their hooks came: what reconciliation knows, and its counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select, update

from pipeline.ledger.observation import COUNTED_STATES, DAY_US, DEAD, LATE, MISSED, WAITING, DayCount, Observation
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.reconciliation import ObservedEvent
from pipeline.ledger.sql.tables import insert_into

MAX_WAITING_DAYS = 30


def load_observed_states(conn: Connection, store_id: int, identities: Collection[str]) -> dict[str, tuple[str, int]]:
    """Identity -> state, and when it was first seen, of the events that the API has shown before. For one page."""
    query = select(ObservedEvent.happening, ObservedEvent.state, ObservedEvent.seen_at)
    rows = conn.execute(query.where(ObservedEvent.store_id == store_id, ObservedEvent.happening.in_(list(identities))))
    return {row.happening: (row.state, row.seen_at) for row in rows}


def save_observations(conn: Connection, store_id: int, observations: Iterable[Observation], now: int) -> None:
    """Write states. An event that was seen before gets its new state and keeps the time of the first sighting."""
    rows = [
        {
            "store_id": store_id,
            "happening": observation.identity,
            "event": observation.event,
            "day": observation.day,
            "state": observation.state,
            "seen_at": now,
        }
        for observation in observations
    ]
    if rows:
        made = insert_into(conn, ObservedEvent)
        again = {"state": made.excluded.state, "day": made.excluded.day}
        conn.execute(
            made.on_conflict_do_update(index_elements=[ObservedEvent.store_id, ObservedEvent.happening], set_=again),
            rows,
        )


def mark_late(conn: Connection, identities: Collection[tuple[int, str]]) -> None:
    """Mark the missed among these events, each of a store, as late: their hooks have come."""
    mine = (
        ObservedEvent.store_id == bindparam("of_store"),
        ObservedEvent.happening == bindparam("identity"),
        ObservedEvent.state == MISSED,
    )
    if identities:
        rows = [{"of_store": store_id, "identity": identity} for store_id, identity in sorted(identities)]
        conn.execute(update(ObservedEvent).where(*mine).values(state=LATE), rows)


def list_waiting_ids(conn: Connection, store_id: int, event: str, now: int) -> list[int]:
    """The subjects' ids of waiting events whose identity is made of the event and that id alone."""
    recent = ObservedEvent.day >= now // DAY_US - MAX_WAITING_DAYS
    query = select(ObservedEvent.happening).where(
        ObservedEvent.store_id == store_id, recent, ObservedEvent.event == event
    )
    found = conn.execute(query.where(ObservedEvent.state == WAITING)).scalars()
    return [int(identity.rpartition(":")[2]) for identity in found]


def count_by_day(conn: Connection, since_day: int, names: Collection[str] | None = None) -> list[DayCount]:
    """What the APIs of all stores, or of those of these names, have shown since that day, the newest first."""
    query = (
        select(Store.name.label("store"), ObservedEvent.event, ObservedEvent.day, func.count().label("expected"))
        .add_columns(*(_count_state(state) for state in (MISSED, LATE, DEAD)))
        .join(Store, Store.id == ObservedEvent.store_id)
        .where(ObservedEvent.day >= since_day, ObservedEvent.state.in_(COUNTED_STATES))
        .group_by(Store.name, ObservedEvent.event, ObservedEvent.day)
        .order_by(ObservedEvent.day.desc(), Store.name, ObservedEvent.event)
    )
    if names is not None:
        query = query.where(Store.name.in_(names))
    return [DayCount(**row._asdict()) for row in conn.execute(query)]


def count_shown(conn: Connection, store_id: int, first_day: int, end_day: int) -> tuple[int, int, int]:
    """How many events the store's API has shown of these days (since the epoch, the end excluded); how many of their
    hooks never came, and how many came too late.
    """
    counted = select(func.count(), _count_state(MISSED), _count_state(LATE)).where(ObservedEvent.store_id == store_id)
    counted = counted.where(ObservedEvent.day >= first_day, ObservedEvent.day < end_day)
    expected, missed, late = conn.execute(counted.where(ObservedEvent.state.in_(COUNTED_STATES))).one()
    return expected, missed or 0, late or 0  # a sum of nothing is null


def _count_state(state: str) -> ColumnElement[int]:
    return func.sum(case((ObservedEvent.state == state, 1), else_=0)).label(state)
