"""Engines and transactions for SQLite and PostgreSQL, with the settings that make a commit durable on each.

An engine belongs to the process that created it: create it after a fork, never before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.postgresql_sessions import prepare_sessions
from pipeline.ledger.sql import json_type

BUSY_TIMEOUT_S = 10
_QUERY_ONLY_KEY = "only reads"  # in a connection's `info`: the present value of SQLite's query_only

_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}",  # first: the next one may have to wait
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not block each other
    # The inbox deletes a hook once the ledger has committed it, so a commit must survive a power cut:
    # in WAL mode NORMAL does not sync the log on commit, FULL does.
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: a plain fsync stops at the drive's cache
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten with zeros, not only unlinked
    "PRAGMA journal_size_limit = 67108864",  # a large import leaves no large log behind
)

# Only an empty file can be laid out so that deleted rows give their space back: `pipeline.ledger.vacuum`.
_SQLITE_LAYOUT = "PRAGMA auto_vacuum = INCREMENTAL"

# When a server's host vanishes, no packet says so; TCP's defaults would wait for a quarter of an hour.
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

    `connections`: the most it opens; a thread that needs one more waits up to half a minute for a free one.
    """
    parsed = _parse_url(url)
    pool = {"pool_size": min(connections, 5), "max_overflow": max(0, connections - 5)}
    if parsed.get_backend_name() == "sqlite":
        return _make_sqlite(parsed, pool)
    return _make_postgresql(parsed, pool)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that can only read. On SQLite it waits for no lock."""
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


@contextmanager
def working_outside_transactions(engine: Engine) -> Iterator[Any]:
    """The driver's connection, for what a database does in no transaction: each statement commits by itself."""
    with engine.connect() as conn:
        driver: Any = conn.connection.driver_connection
        if engine.dialect.name == "sqlite":
            conn.info.pop(_QUERY_ONLY_KEY, None)
            driver.execute("PRAGMA query_only = False")
            yield driver
            return
        yield driver


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS:
        message = "the database URL must begin with sqlite://, postgresql:// or postgres://"
        raise Misconfigured(message)
    return parsed.set(drivername=_DRIVERS[parsed.drivername])


def _make_sqlite(url: URL, pool: dict[str, int]) -> Engine:
    engine = create_engine(url, **_JSON_OPTIONS, **pool, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions by itself
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            connection.execute(_SQLITE_LAYOUT)
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        is_read_only = bool(conn.get_execution_options().get("sqlite_readonly"))
        if conn.info.get(_QUERY_ONLY_KEY) != is_read_only:  # a pooled connection keeps its last value
            conn.exec_driver_sql(f"PRAGMA query_only = {is_read_only}")
            conn.info[_QUERY_ONLY_KEY] = is_read_only
        conn.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")

    return engine


def _make_postgresql(url: URL, pool: dict[str, int]) -> Engine:
    engine = create_engine(
        url,
        **_JSON_OPTIONS,
        **pool,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            "application_name": "cratewire",
            "prepare_threshold": None,  # until it is known that no pooler changes sessions
            **_TCP_KEEPALIVE,
        },
    )

    prepare_sessions(engine)
    return engine
