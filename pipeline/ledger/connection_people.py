"""How far the people of a store have been sent over a connection. Functions work in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, literal, select, update

from pipeline.ledger.schema.connection_people import ConnectionPeople
from pipeline.ledger.schema.core import Person, Store, StoreConnection
from pipeline.ledger.sql.tables import insert_into

PeopleState = Literal["running", "stopped", "done"]

RUNNING, STOPPED, DONE = "running", "stopped", "done"
_IS_RUNNING = ConnectionPeople.state == literal(RUNNING, literal_execute=True)  # as in the partial index


@dataclass(frozen=True, slots=True)
class PeopleRow:
    """The people of one store on their way to one connection. Times are µs."""

    connection_id: int
    store: str
    state: PeopleState
    cursor: int  # the id of the last person who was looked at
    looked_at: int
    written: int  # profiles
    total: int
    started_at: int
    ended_at: int | None


def start_people(conn: Connection, connection_id: int, now: int) -> None:
    """Begin with the first person. Those who have a profile there already are left out when it is their turn."""
    store_id = select(StoreConnection.store_id).where(StoreConnection.id == connection_id).scalar_subquery()
    total = conn.execute(select(func.count()).select_from(Person).where(Person.store_id == store_id)).scalar_one()
    begun = {"state": RUNNING, "cursor": 0, "looked_at": 0, "written": 0, "total": total, "started_at": now}
    statement = insert_into(conn, ConnectionPeople).values(connection_id=connection_id, ended_at=None, **begun)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[ConnectionPeople.connection_id], set_={**begun, "ended_at": None}
        )
    )


def stop_people(conn: Connection, connection_id: int, now: int) -> bool:
    """Write no further profile; whether there was one to write. Those that wait already leave."""
    this = ConnectionPeople.connection_id == connection_id, _IS_RUNNING
    return conn.execute(update(ConnectionPeople).where(*this).values(state=STOPPED, ended_at=now)).rowcount > 0


def find_people(conn: Connection, connection_id: int, *, locked: bool = False) -> PeopleRow | None:
    """The row of this connection, if its people were ever sent."""
    query = _select().where(ConnectionPeople.connection_id == connection_id)
    found = conn.execute(query.with_for_update(of=ConnectionPeople) if locked else query).one_or_none()
    return None if found is None else PeopleRow(**found._asdict())


def list_running(conn: Connection) -> list[int]:
    """The connections whose people are being sent."""
    return list(conn.execute(select(ConnectionPeople.connection_id).where(_IS_RUNNING)).scalars())


def note_progress(conn: Connection, row: PeopleRow, ids: list[int], written: int, now: int) -> None:
    """Note a slice: the people who were looked at, and how many profiles were written. No people: it is done."""
    changed: dict[str, object]
    if ids:
        changed = {"cursor": ids[-1], "looked_at": row.looked_at + len(ids), "written": row.written + written}
    else:
        changed = {"state": DONE, "ended_at": now}
    conn.execute(update(ConnectionPeople).where(ConnectionPeople.connection_id == row.connection_id).values(**changed))


def _select() -> Any:
    table = ConnectionPeople
    return (
        select(
            *(table.connection_id, Store.name.label("store"), table.state, table.cursor, table.looked_at),
            *(table.written, table.total, table.started_at, table.ended_at),
        )
        .join(StoreConnection, StoreConnection.id == table.connection_id)
        .join(Store, Store.id == StoreConnection.store_id)
    )
