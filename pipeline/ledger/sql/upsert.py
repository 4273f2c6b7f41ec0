"""INSERT … ON CONFLICT, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps in two places."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.ledger.schema.core import Base


def insert_into(conn: Connection, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what to do on a conflict."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)
