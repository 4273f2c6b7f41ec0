"""Connections of stores to platforms. `config` comes and goes encrypted: the ledger cannot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy import Connection as Database

from pipeline.ledger.deliveries.pause import resume_connection
from pipeline.ledger.tables import Connection, Introduction
from pipeline.ledger.upsert import insert_into


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as the ledger has it."""

    id: int
    store_id: int
    platform: str
    label: str
    account: str
    config: bytes = field(repr=False)
    status: str
    status_reason: str | None
    status_at: int
    lanes: int
    created_at: int


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What a connect form or command has found out. `label` tells two connections to one platform apart."""

    store_id: int
    platform: str
    account: str
    config: bytes = field(repr=False)
    label: str = ""
    lanes: int = 1


def named(platform: str, label: str) -> str:
    """A store's connection as people are told of it."""
    return f"{platform} {label}" if label else platform


def place_of(store: str, platform: str, label: str) -> str:
    """A store's connection as programs name it."""
    return "/".join(filter(None, (store, platform, label)))


def save_connection(db: Database, wanted: NewConnection, now: int) -> ConnectionRow:
    """Save a connection whose credentials were just checked; the same store, platform and label update it.

    Updating makes it active again. Its number of lanes stays, since people must not change lanes while messages
    wait. If it leads to another workspace now, nobody is introduced there yet.
    """
    before = _same_as(db, wanted)
    if before is not None:
        resume_connection(db, before.id, now)
        if before.account != wanted.account:
            db.execute(delete(Introduction).where(Introduction.connection_id == before.id))
    columns = {name: getattr(wanted, name) for name in ("store_id", "platform", "account", "config", "label", "lanes")}
    made = insert_into(db, Connection).values(**columns, status="active", status_at=now, created_at=now)
    saved = made.on_conflict_do_update(
        index_elements=[Connection.store_id, Connection.platform, Connection.label],
        set_={"account": wanted.account, "config": wanted.config},
    )
    connection_id = db.execute(saved.returning(Connection.id)).scalar_one()
    return _rows(db, Connection.id == connection_id)[0]


def find_connection(db: Database, connection_id: int) -> ConnectionRow | None:
    """The connection with this id."""
    return next(iter(_rows(db, Connection.id == connection_id)), None)


def connections_of(db: Database, store_id: int) -> list[ConnectionRow]:
    """A store's connections, paused ones too."""
    return _rows(db, Connection.store_id == store_id)


def load_connections(db: Database) -> list[ConnectionRow]:
    """Every connection of every store."""
    return _rows(db)


def _same_as(db: Database, wanted: NewConnection) -> ConnectionRow | None:
    same = (
        Connection.store_id == wanted.store_id,
        Connection.platform == wanted.platform,
        Connection.label == wanted.label,
    )
    return next(iter(_rows(db, *same)), None)


def _rows(db: Database, *conditions: ColumnElement[bool]) -> list[ConnectionRow]:
    query = select(Connection).where(*conditions).order_by(Connection.id)
    return [ConnectionRow(**row._asdict()) for row in db.execute(query)]
