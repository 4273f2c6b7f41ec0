"""Migrates a database to the schema of this version of the code. Needs no alembic.ini.

Two processes that start at the same time migrate one after the other: the second finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine
from pipeline.ledger.revision import newest_revision
from pipeline.ledger.schema import (
    accounts,
    audit,
    backfills,
    consent,
    core,
    counts,
    dictionaries,
    fences,
    fulfilment,
    history,
    monitoring,
    own_pages,
    reconciliation,
    regulations,
    removals,
    replays,
    retention,
    search,
    store_apis,
)
from pipeline.ledger.sql.sequences import max_issued_ids, restore_max_issued_ids
from pipeline.ledger.vacuum import rewrite_once

log = structlog.get_logger(__name__)

# Every module with tables: tables that are not imported cannot be compared with a database.
TABLE_MODULES = (
    core,
    history,
    counts,
    dictionaries,
    fences,
    fulfilment,
    consent,
    store_apis,
    accounts,
    audit,
    backfills,
    reconciliation,
    monitoring,
    own_pages,
    regulations,
    removals,
    replays,
    retention,
    search,
)

_LOCK_TIMEOUT_S = 600  # a migration may have to copy a large table
_ADVISORY_LOCK_ID = 0x6372_6174_6577_6972  # "cratewir": the advisory lock's name on PostgreSQL


def migrate(url: str, report: Callable[[str], object] = log.warning) -> str:
    """Migrate to the newest revision and return its id. Raise Misconfigured if the database is newer than the code.

    An older SQLite file is rewritten once, after which deleted rows give their space back; `report` gets a sentence.
    """
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            _upgrade(conn)
    finally:
        engine.dispose()
    rewrite_once(url, report)
    return newest_revision()


def _make_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _upgrade(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        cursor = conn.connection.cursor()  # both pragmas must come before the transaction, which takes the write lock
        cursor.execute(f"PRAGMA busy_timeout = {_LOCK_TIMEOUT_S * 1000}")
        # SQLite changes a table by copying it, and dropping the old one would take its children along.
        cursor.execute("PRAGMA foreign_keys = OFF")
    with conn.begin():
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
            conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'")
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK_ID})")
        max_ids = max_issued_ids(conn) if conn.dialect.name == "sqlite" else {}
        config = _make_config()
        config.attributes["connection"] = conn
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Misconfigured("the database was migrated by a newer version of Cratewire") from error
        restore_max_issued_ids(conn, max_ids)  # a table that a migration copied has lost its largest issued id
