"""Engines and transactions for the two databases a ledger can live in, and what each needs to keep its word.

An engine belongs to the process that made it: make it after a fork, never before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.sql import json_type

BUSY_TIMEOUT_S = 10
_QUERY_ONLY_KEY = "only reads"  # what an SQLite connection was last told

_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}",  # first: the next one may have to wait
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not stop each other
    # The inbox forgets a hook once the ledger has committed it, so a commit must survive a power cut:
    # in WAL mode NORMAL does not sync the log on commit, FULL does.
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: a plain fsync stops at the drive's cache
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",  # a large import leaves no large log behind
)

# Of one transaction each: behind a pooler such as PgBouncer a session serves many clients, and what is set for it stays
# for the next one. Sent as one text, so that it costs one round trip.
_POSTGRESQL_SETTINGS = (
    "SET LOCAL statement_timeout = '60s';"
    "SET LOCAL lock_timeout = '10s';"
    "SET LOCAL idle_in_transaction_session_timeout = '60s';"  # a stopped process must not hold its locks for ever
    # The inbox forgets a hook once the ledger has committed it, whatever a server or a role has as its default.
    "SET LOCAL synchronous_commit = on"
)
_ENCODING = "UTF8"

# A server whose host has vanished says nothing at all; TCP itself would wait for it for a quarter of an hour.
_TCP_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}

_JSON_OPTIONS: dict[str, Any] = {"json_serializer": json_type.dumps, "json_deserializer": json_type.loads}

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def make_engine(url: str, connections: int = 15) -> Engine:
    """An engine for `sqlite:///path`, `postgresql://…` or `postgres://…`. Raise Misconfigured for anything else.

    `connections`: how many it opens at most; who wants one more waits for one to come back, half a minute at most.
    """
    place = _parse_url(url)
    pool = {"pool_size": min(connections, 5), "max_overflow": max(0, connections - 5)}
    if place.get_backend_name() == "sqlite":
        return _make_sqlite(place, pool)
    return _make_postgresql(place, pool)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that can only read. On SQLite it waits for nobody."""
    with engine.connect().execution_options(postgresql_readonly=True, sqlite_readonly=True) as conn, conn.begin():
        yield conn


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write; commits at the end, rolls back when something is raised.

    On SQLite it takes the write lock at once. Taken later, after a read, the lock could not be waited for:
    another writer's commit would have made the read stale, and SQLite answers "database is locked" at once.
    """
    with engine.begin() as conn:
        yield conn


def _parse_url(url: str) -> URL:
    try:
        place = make_url(url)
    except ArgumentError:
        place = None
    if place is None or place.drivername not in _DRIVERS:
        message = "the database URL must begin with sqlite://, postgresql:// or postgres://"
        raise Misconfigured(message)
    return place.set(drivername=_DRIVERS[place.drivername])


def _make_sqlite(place: URL, pool: dict[str, int]) -> Engine:
    engine = create_engine(place, **_JSON_OPTIONS, **pool, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        only_reads = bool(conn.get_execution_options().get("sqlite_readonly"))
        if conn.info.get(_QUERY_ONLY_KEY) != only_reads:  # the pool gives connections out again as they were
            conn.exec_driver_sql(f"PRAGMA query_only = {only_reads}")
            conn.info[_QUERY_ONLY_KEY] = only_reads
        conn.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def _make_postgresql(place: URL, pool: dict[str, int]) -> Engine:
    engine = create_engine(
        place,
        **_JSON_OPTIONS,
        **pool,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            "application_name": "cratewire",
            "prepare_threshold": None,  # a prepared statement is of one session, and a pooler changes sessions
            **_TCP_KEEPALIVE,
        },
    )

    @event.listens_for(engine, "connect", insert=True)  # before SQLAlchemy asks anything that it could not read
    def look(connection: Any, _record: Any) -> None:
        if (found := connection.info.parameter_status("server_encoding")) != _ENCODING:
            name = connection.info.dbname
            connection.close()
            raise Misconfigured(_describe_wrong_encoding(name, found))

    @event.listens_for(engine, "checkin")
    def forget(connection: Any, _record: Any) -> None:
        # SQLAlchemy leaves READ WRITE behind after a reading transaction: it would write where a server's or a role's
        # default says that nothing is to be written.
        if connection is not None and not connection.closed:
            connection.read_only = None

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql(_POSTGRESQL_SETTINGS)

    return engine


def _describe_wrong_encoding(name: str, found: str | None) -> str:
    return (
        f"the database {name} has the encoding {found}, which cannot hold every name and address: make another with "
        f"`createdb --encoding=UTF8 --template=template0 NAME`, and set DATABASE_URL to it"
    )
