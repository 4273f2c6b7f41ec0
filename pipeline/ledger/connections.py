"""Connections of stores to platforms. `config` comes and goes encrypted: the ledger cannot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy import Connection as Database

from pipeline.ledger.deliveries.pause import resume_connection
from pipeline.ledger.schema.core import ProfileSent, StoreConnection
from pipeline.ledger.sql.tables import insert_into


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


def format_connection_name(platform: str, label: str) -> str:
    """A store's connection as people are told of it."""
    return f"{platform} {label}" if label else platform


def format_connection_path(store: str, platform: str, label: str) -> str:
    """A store's connection as programs name it."""
    return "/".join(filter(None, (store, platform, label)))


def save_connection(conn: Database, wanted: NewConnection, now: int) -> ConnectionRow:
    """Save a connection whose credentials were just checked; the same store, platform and label update it.

    Updating makes it active again. Its number of lanes stays, since people must not change lanes while messages
    wait. If it leads to another workspace now, nobody is introduced there yet.
    """
    before = _find_existing(conn, wanted)
    if before is not None:
        resume_connection(conn, before.id, now)
        if before.account != wanted.account:
            conn.execute(delete(ProfileSent).where(ProfileSent.connection_id == before.id))
    columns = {name: getattr(wanted, name) for name in ("store_id", "platform", "account", "config", "label", "lanes")}
    made = insert_into(conn, StoreConnection).values(**columns, status="active", status_at=now, created_at=now)
    saved = made.on_conflict_do_update(
        index_elements=[StoreConnection.store_id, StoreConnection.platform, StoreConnection.label],
        set_={"account": wanted.account, "config": wanted.config},
    )
    connection_id = conn.execute(saved.returning(StoreConnection.id)).scalar_one()
    return _select_connections(conn, StoreConnection.id == connection_id)[0]


def find_connection(conn: Database, connection_id: int) -> ConnectionRow | None:
    """The connection with this id."""
    return next(iter(_select_connections(conn, StoreConnection.id == connection_id)), None)


def list_store_connections(conn: Database, store_id: int) -> list[ConnectionRow]:
    """A store's connections, paused ones too."""
    return _select_connections(conn, StoreConnection.store_id == store_id)


def list_all_connections(conn: Database) -> list[ConnectionRow]:
    """Every connection of every store."""
    return _select_connections(conn)


def _find_existing(conn: Database, wanted: NewConnection) -> ConnectionRow | None:
    same = (
        StoreConnection.store_id == wanted.store_id,
        StoreConnection.platform == wanted.platform,
        StoreConnection.label == wanted.label,
    )
    return next(iter(_select_connections(conn, *same)), None)


def _select_connections(conn: Database, *conditions: ColumnElement[bool]) -> list[ConnectionRow]:
    query = select(StoreConnection).where(*conditions).order_by(StoreConnection.id)
    return [ConnectionRow(**row._asdict()) for row in conn.execute(query)]
