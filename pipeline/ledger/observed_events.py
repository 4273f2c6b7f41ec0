"""What stores' APIs have shown, and whether a hook had told of it: the memory of reconciliation, and its counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select, update

from pipeline.ledger.observation import COUNTED_STATES, DAY_US, DEAD, LATE, MISSED, WAITING, DayCount, Observation
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.reconciliation import ObservedEvent as Shown
from pipeline.ledger.sql.tables import insert_into

MAX_WAITING_DAYS = 30  # none waits longer


def load_observed_states(conn: Connection, store_id: int, happenings: Collection[str]) -> dict[str, tuple[str, int]]:
    """Happening -> its state, and when it was first seen, of those the API has shown before. A page's worth."""
    query = select(Shown.happening, Shown.state, Shown.seen_at)
    rows = conn.execute(query.where(Shown.store_id == store_id, Shown.happening.in_(list(happenings))))
    return {row.happening: (row.state, row.seen_at) for row in rows}


def save_observations(conn: Connection, store_id: int, sightings: Iterable[Observation], now: int) -> None:
    """Write states; one that was written before is changed, and stays as old as it is."""
    rows = [
        {"store_id": store_id, "happening": one.happening, "event": one.event, "day": one.day}
        | {"state": one.state, "seen_at": now}
        for one in sightings
    ]
    if rows:
        made = insert_into(conn, Shown)
        again = {"state": made.excluded.state, "day": made.excluded.day}
        conn.execute(made.on_conflict_do_update(index_elements=[Shown.store_id, Shown.happening], set_=again), rows)


def mark_late(conn: Connection, happenings: Collection[tuple[int, str]]) -> None:
    """Hooks of these, each of a store, have come: those that were missed until now are late."""
    mine = Shown.store_id == bindparam("of_store"), Shown.happening == bindparam("told"), Shown.state == MISSED
    if happenings:
        rows = [{"of_store": store_id, "told": happening} for store_id, happening in sorted(happenings)]
        conn.execute(update(Shown).where(*mine).values(state=LATE), rows)


def list_waiting_ids(conn: Connection, store_id: int, event: str, now: int) -> list[int]:
    """The subjects' ids of waiting happenings whose key is made of the event and that id alone."""
    recent = Shown.day >= now // DAY_US - MAX_WAITING_DAYS
    query = select(Shown.happening).where(Shown.store_id == store_id, recent, Shown.event == event)
    found = conn.execute(query.where(Shown.state == WAITING)).scalars()
    return [int(happening.rpartition(":")[2]) for happening in found]


def count_by_day(conn: Connection, since_day: int, store: str | None = None) -> list[DayCount]:
    """What the APIs have shown since that day, the newest first."""
    query = (
        select(Store.name.label("store"), Shown.event, Shown.day, func.count().label("expected"))
        .add_columns(*(_count_state(state) for state in (MISSED, LATE, DEAD)))
        .join(Store, Store.id == Shown.store_id)
        .where(Shown.day >= since_day, Shown.state.in_(COUNTED_STATES))
        .group_by(Store.name, Shown.event, Shown.day)
        .order_by(Shown.day.desc(), Store.name, Shown.event)
    )
    if store is not None:
        query = query.where(Store.name == store)
    return [DayCount(**row._asdict()) for row in conn.execute(query)]


def _count_state(state: str) -> ColumnElement[int]:
    return func.sum(case((Shown.state == state, 1), else_=0)).label(state)
