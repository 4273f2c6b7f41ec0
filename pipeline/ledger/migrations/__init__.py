"""Brings a database to the tables this version of the code knows. Needs no alembic.ini.

Two processes that start at once migrate one after the other: the second finds nothing left to do.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from pipeline.errors import Misconfigured
from pipeline.ledger import account_tables, api_tables, backfill_tables, reconciliation_tables, silence_tables, tables
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.numbers import all_largest_given, never_again

# Every module with tables: what is not imported cannot be compared with a database.
MODELS = (tables, api_tables, account_tables, backfill_tables, reconciliation_tables, silence_tables)

_PATIENCE_SECONDS = 600  # whoever migrates may have a large table to copy
_LOCK = 0x6372_6174_6577_6972  # "cratewir": the advisory lock's name on PostgreSQL


def migrate(url: str) -> str:
    """Migrate to the newest revision and return its id. Raise Misconfigured if the database is newer than the code."""
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            _upgrade(conn)
    finally:
        engine.dispose()
    return newest()


def newest() -> str:
    """The revision this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise Misconfigured("the installation holds no migrations")
    return head


def current(url: str) -> str | None:
    """The revision of this database; None if it has never been migrated."""
    engine = make_engine(url)
    try:
        return _revision(engine)
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has the tables this code needs."""
    return _revision(engine) == newest()


def is_behind(engine: Engine) -> bool:
    """Whether tables that this code needs are missing. A newer version's database has them all."""
    revision = _revision(engine)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is None or (revision in known and revision != newest())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _revision(engine: Engine) -> str | None:
    with reading(engine) as conn:
        return MigrationContext.configure(conn).get_current_revision()


def _upgrade(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        cursor = conn.connection.cursor()  # both pragmas must come before the transaction, which takes the write lock
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE_SECONDS * 1000}")
        # SQLite changes a table by copying it, and dropping the old one would take its children along.
        cursor.execute("PRAGMA foreign_keys = OFF")
    with conn.begin():
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
            conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_SECONDS}s'")
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        given = all_largest_given(conn) if conn.dialect.name == "sqlite" else {}
        config = _config()
        config.attributes["connection"] = conn
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Misconfigured("the database was migrated by a newer version of Cratewire") from error
        never_again(conn, given)  # a table that was copied to change it has forgotten which ids it had given
