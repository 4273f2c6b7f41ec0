"""Sessions at PostgreSQL: how a transaction begins, which statements stay prepared, and whether a session is alive."""

from __future__ import annotations

import select
import time
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, ExceptionContext, Pool, event
from sqlalchemy.exc import DisconnectionError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.sql.arrays import register_arrays

# SET LOCAL, since behind a pooler such as PgBouncer a session serves many clients, and its settings would stay for the
# next client. Sent with BEGIN as one text, so that a transaction begins in one round trip.
_SETTINGS = (
    "SET LOCAL statement_timeout = '60s';"
    "SET LOCAL lock_timeout = '10s';"
    "SET LOCAL idle_in_transaction_session_timeout = '60s';"  # a stopped process must not hold its locks for ever
    # The inbox deletes a hook once the ledger has committed it, so the defaults of server and role must not matter.
    "SET LOCAL synchronous_commit = on"
)
_BEGIN_WRITING, _BEGIN_READING = f"BEGIN;{_SETTINGS}", f"BEGIN READ ONLY;{_SETTINGS}"
# A plan that is kept is of the time when it was made: made for empty tables, it would read large ones whole until the
# server gathers statistics.
_BEGIN_ANEW = f"{_BEGIN_WRITING};DISCARD PLANS"
_ENCODING = "UTF8"
_PREPARE_AFTER = 5  # executions of a statement in one session
REPLAN_AFTER_S = 10.0
_TRUSTED_S = 5.0  # a session that was used so recently is asked for nothing before it is used again
# A prepared statement is gone, or there already: another session answers. Or its table was changed by a migration.
_OF_ANOTHER_SESSION, _CHANGED_TABLE = ("26000", "42P05"), "0A000"
# Pools behind a pooler that was not recognised: a statement met another session. Nothing more is prepared for them.
_WITH_ANOTHER_SESSION: WeakSet[Pool] = WeakSet()
_IS_DIRECT, _USED_AT, _PLANNED_AT = "is direct", "used at", "planned at"  # in the `info` of a session


def prepare_sessions(engine: Engine) -> None:
    """Let the engine's sessions begin and end their transactions as described here."""
    event.listen(engine, "connect", _open, insert=True)  # before SQLAlchemy's first query, which it could not decode
    event.listen(engine, "checkout", _check)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _handle_error)


def _open(session: Any, record: Any) -> None:
    if (encoding := session.info.parameter_status("server_encoding")) != _ENCODING:
        name = session.info.dbname
        session.close()
        raise Misconfigured(_describe_wrong_encoding(name, encoding))
    session.autocommit = True  # the driver sends no BEGIN by itself
    register_arrays(session)
    record.info[_IS_DIRECT] = _is_direct(session)
    _note_use(session, record)


def _check(session: Any, record: Any, _proxy: Any) -> None:
    if not _is_alive(session, record.info[_USED_AT]):
        raise DisconnectionError


def _note_use(_session: Any, record: Any) -> None:
    record.info[_USED_AT] = time.monotonic()


def _begin(conn: Connection) -> None:
    is_read_only = bool(conn.get_execution_options().get("postgresql_readonly"))
    session: Any = conn.connection.driver_connection
    session.prepare_threshold = None  # several statements in one text cannot be prepared
    # Pages ask the same for one store or for hundreds, and a plan that is kept fits only one of these.
    if is_read_only or not conn.info[_IS_DIRECT] or conn.engine.pool in _WITH_ANOTHER_SESSION:
        conn.exec_driver_sql(_BEGIN_READING if is_read_only else _BEGIN_WRITING)
        return
    now = time.monotonic()
    is_stale = now - conn.info.get(_PLANNED_AT, 0.0) > REPLAN_AFTER_S
    conn.exec_driver_sql(_BEGIN_ANEW if is_stale else _BEGIN_WRITING)
    if is_stale:
        conn.info[_PLANNED_AT] = now
    session.prepare_threshold = _PREPARE_AFTER


def _handle_error(context: ExceptionContext) -> None:
    state = getattr(context.original_exception, "sqlstate", None)
    if state in _OF_ANOTHER_SESSION and context.engine is not None:
        _WITH_ANOTHER_SESSION.add(context.engine.pool)
    if state in (*_OF_ANOTHER_SESSION, _CHANGED_TABLE):
        context.is_disconnect = True  # the next try has a new session, without the statement


def _is_direct(session: Any) -> bool:
    """Whether this is a session of the server, and no pooler's.

    A prepared statement belongs to one session, and a pooler in transaction mode changes sessions. Poolers make up the
    process id by which a client may cancel a query; the server names its own.
    """
    (process_id,) = session.execute("SELECT pg_backend_pid()").fetchone()
    return bool(process_id == session.info.backend_pid)


def _is_alive(session: Any, used_at: float) -> bool:
    """Whether the server is there. It is asked after a pause, or if it has sent something: perhaps that it goes."""
    if session.closed:
        return False
    waiting = select.poll()
    waiting.register(session.fileno(), select.POLLIN)
    if time.monotonic() - used_at < _TRUSTED_S and not waiting.poll(0):
        return True
    import psycopg  # noqa: PLC0415  an installation on SQLite does not load the driver

    try:
        session.execute("SELECT 1", prepare=False)
    except psycopg.Error:
        return False
    return True


def _describe_wrong_encoding(name: str, encoding: str | None) -> str:
    return (
        f"the database {name} has the encoding {encoding}, which cannot hold every name and address: create "
        f"another with `createdb --encoding=UTF8 --template=template0 NAME`, and set DATABASE_URL to it"
    )
