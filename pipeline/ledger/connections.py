"""Connections of stores to platforms. `config` is encrypted and decrypted by the callers: the ledger cannot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, select, update

from pipeline.core.errors import Misconfigured
from pipeline.infra.crypto.encryption import RowIdentity
from pipeline.ledger.schema.core import Lane, ProfileSent, StoreConnection
from pipeline.ledger.sql.tables import insert_into

MAX_TITLE_CHARS = 80  # of a store's or a connection's title


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as the ledger has it."""

    id: int
    store_id: int
    platform: str
    label: str
    title: str | None
    account: str
    config: bytes = field(repr=False)
    status: str
    status_reason: str | None
    status_at: int
    lanes: int
    created_at: int
    mapping: str | None = None  # JSON; None: everything, under our names

    @property
    def identity(self) -> RowIdentity:
        """What `config` is encrypted for."""
        return RowIdentity("connections", self.id, self.store_id)


@dataclass(frozen=True, slots=True)
class NewConnection:
    """A connection to save. `label` distinguishes two connections of one store to one platform.

    `config` can only be encrypted for a row that has its id: `set_connection_config` then replaces it.
    """

    store_id: int
    platform: str
    account: str
    config: bytes = field(repr=False)
    label: str = ""
    lanes: int = 1


def format_connection_name(platform: str, label: str, title: str | None = None) -> str:
    """The name of a store's connection, for people: its title, or else what it is called in commands."""
    return title or (f"{platform} {label}" if label else platform)


def format_connection_path(store: str, platform: str, label: str) -> str:
    """The name of a connection with its store, for programs."""
    return "/".join(filter(None, (store, platform, label)))


def save_connection(conn: Connection, new: NewConnection, now: int) -> ConnectionRow:
    """Save a connection whose credentials have just been checked; updates the one of this store, platform and label.

    Updating makes it active again. Its number of lanes stays, since people must not change lanes while messages
    wait. If it leads to another workspace now, no profile has been sent there yet.
    """
    existing = _find_existing(conn, new)
    if existing is not None:
        resume_connection(conn, existing.id, now)
        if existing.account != new.account:
            conn.execute(delete(ProfileSent).where(ProfileSent.connection_id == existing.id))
    columns = {name: getattr(new, name) for name in ("store_id", "platform", "account", "config", "label", "lanes")}
    statement = insert_into(conn, StoreConnection).values(**columns, status="active", status_at=now, created_at=now)
    statement = statement.on_conflict_do_update(
        index_elements=[StoreConnection.store_id, StoreConnection.platform, StoreConnection.label],
        set_={"account": new.account, "config": new.config},
    )
    connection_id = conn.execute(statement.returning(StoreConnection.id)).scalar_one()
    return _select_connections(conn, StoreConnection.id == connection_id)[0]


def set_connection_config(conn: Connection, connection_id: int, config: bytes) -> None:
    """Replace the encrypted config."""
    conn.execute(update(StoreConnection).where(StoreConnection.id == connection_id).values(config=config))


def set_connection_mapping(conn: Connection, connection_id: int, mapping: str | None) -> None:
    """Replace the mapping: JSON, or None for everything under our names."""
    conn.execute(update(StoreConnection).where(StoreConnection.id == connection_id).values(mapping=mapping))


def find_connection(conn: Connection, connection_id: int) -> ConnectionRow | None:
    """The connection with this id."""
    return next(iter(_select_connections(conn, StoreConnection.id == connection_id)), None)


def list_store_connections(conn: Connection, store_id: int) -> list[ConnectionRow]:
    """A store's connections, including paused connections."""
    return _select_connections(conn, StoreConnection.store_id == store_id)


def list_all_connections(conn: Connection) -> list[ConnectionRow]:
    """Every connection of every store."""
    return _select_connections(conn)


def list_failing_connections(conn: Connection) -> list[tuple[int, str, int, str]]:
    """(id, platform, since when in µs, reason) of the active connections with a lane of which all tries fail."""
    columns = StoreConnection.id, StoreConnection.platform, Lane.failing_since, Lane.reason
    joined = select(*columns).join(Lane, Lane.connection_id == StoreConnection.id)
    failing = Lane.failing_since.is_not(None), StoreConnection.status == "active"
    rows = conn.execute(joined.where(*failing).order_by(StoreConnection.id, Lane.failing_since.desc()))
    first = {row.id: (row.id, row.platform, row.failing_since, row.reason or "") for row in rows}
    return list(first.values())


def rename_connection(conn: Connection, connection_id: int, title: str | None) -> bool:
    """Set what people see instead of platform and label; None: these. False if they see that already.

    Raise Misconfigured for an unusable title.
    """
    new = check_title(title)
    is_other = StoreConnection.id == connection_id, StoreConnection.title.is_distinct_from(new)
    return bool(conn.execute(update(StoreConnection).where(*is_other).values(title=new)).rowcount)


def check_title(title: str | None) -> str | None:
    """A title as it is saved; None if it is empty. Raise Misconfigured if it is too long, or cannot be printed."""
    text = " ".join((title or "").split())
    if len(text) > MAX_TITLE_CHARS or not text.isprintable():
        raise Misconfigured(f"a title has at most {MAX_TITLE_CHARS} characters, all of them printable")
    return text or None


def pause_connection(conn: Connection, connection_id: int, reason: str, now: int) -> None:
    """Claim nothing more until the connection is resumed; `reason` is shown to people."""
    paused = {"status": "paused", "status_reason": reason, "status_at": now}
    conn.execute(update(StoreConnection).where(StoreConnection.id == connection_id).values(paused))


def resume_connection(conn: Connection, connection_id: int, now: int) -> None:
    """Make the connection active and its lanes due at once: they backed off from a fault that is over."""
    due = {"next_attempt_at": 0, "attempts": 0, "reason": None, "failing_since": None}
    conn.execute(update(Lane).where(Lane.connection_id == connection_id).values(due))
    active = {"status": "active", "status_reason": None, "status_at": now}
    conn.execute(
        update(StoreConnection)
        .where(StoreConnection.id == connection_id, StoreConnection.status != "active")
        .values(active)
    )


def _find_existing(conn: Connection, new: NewConnection) -> ConnectionRow | None:
    same = (
        StoreConnection.store_id == new.store_id,
        StoreConnection.platform == new.platform,
        StoreConnection.label == new.label,
    )
    return next(iter(_select_connections(conn, *same)), None)


def _select_connections(conn: Connection, *conditions: ColumnElement[bool]) -> list[ConnectionRow]:
    query = select(StoreConnection).where(*conditions).order_by(StoreConnection.id)
    return [ConnectionRow(**row._asdict()) for row in conn.execute(query)]
