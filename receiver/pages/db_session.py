"""A database session per request. It takes SQLite's write lock only while it writes.

A request mostly reads, for as long as its page takes to render; the chain must not wait for that. So queries use a
read-only transaction, and flushes use another one, which is committed soon after.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g
from sqlalchemy import Connection, Delete, Engine, Insert, Update
from sqlalchemy.orm import Session

from pipeline.context import Context

_WRITES = (Insert, Update, Delete)


class ReadWriteSession(Session):
    """Reads and writes in separate transactions. Commit before reading what was written."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(expire_on_commit=False)
        self._writer = engine
        self._reader = engine.execution_options(postgresql_readonly=True, sqlite_readonly=True)

    def get_bind(self, mapper: Any = None, *, clause: Any = None, **_: Any) -> Engine:  # noqa: ARG002 - SQLAlchemy's
        return self._writer if self._flushing or isinstance(clause, _WRITES) else self._reader

    def write_connection(self) -> Connection:
        """Flush, and return the connection that writes: what is written to it is committed with the session."""
        self.flush()
        return self.connection(bind_arguments={"bind": self._writer})


def get_context() -> Context:
    """Return the pages' context of this request."""
    context: Context = current_app.extensions["cratewire.site"]
    return context


def get_session() -> ReadWriteSession:
    """Return this request's session."""
    if "session" not in g:
        g.session = ReadWriteSession(get_context().engine)
    found: ReadWriteSession = g.session
    return found


def add_session_teardown(app: Flask) -> None:
    """Close the session at the end of every request."""

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        if "session" in g:
            g.pop("session").close()
