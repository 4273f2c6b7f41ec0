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
from pipeline.ledger.migrations.plan import describe_plan, read_plan
from pipeline.ledger.revision import current_revision, list_revisions, newest_revision
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

NEWEST = "head"  # alembic's name of it
OLDEST_BACK = "0049"  # the revisions after it have a way back
_LOCK_TIMEOUT_S = 600  # a migration may have to copy a large table
_ADVISORY_LOCK_ID = 0x6372_6174_6577_6972  # "cratewir": the advisory lock's name on PostgreSQL


def migrate(url: str, report: Callable[[str], object] = log.warning) -> str:
    """Migrate to the newest revision and return its id. Raise Misconfigured if the database is newer than the code.

    `report` gets sentences: before it begins, what follows and how long that takes; and when an older SQLite file is
    rewritten once, after which deleted rows give their space back.
    """
    for line in describe_plan(read_plan(url)):
        report(line)
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            upgrade(conn)
    finally:
        engine.dispose()
    rewrite_once(url, report)
    return newest_revision()


def _make_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade(conn: Connection, revision: str = NEWEST) -> None:
    """Upgrade the database behind this connection to the revision, in one transaction of its own."""
    try:
        _run(conn, lambda config: command.upgrade(config, revision))
    except CommandError as error:
        raise Misconfigured("the database was migrated by a newer version of Cratewire") from error


def migrate_back(url: str, revision: str) -> str:
    """Migrate back to an earlier revision, so that the version that had it can use the ledger, and return its id.

    Raises Misconfigured, with the database unchanged, if that revision cannot be reached or what was decided be lost.
    """
    if revision not in list_revisions() or revision < OLDEST_BACK:
        raise Misconfigured(
            f"there is a way back to the revisions {OLDEST_BACK} to {newest_revision()}, not to {revision}: "
            f"restore a backup of before the upgrade (docs/upgrade.md)"
        )
    engine = make_engine(url)
    try:
        if (current := current_revision(url)) not in list_revisions() or revision > str(current):
            raise Misconfigured(f"the database is at revision {current}: {revision} is not behind it")
        with engine.connect() as conn:
            _run(conn, lambda config: command.downgrade(config, revision))
    finally:
        engine.dispose()
    return revision


def _run(conn: Connection, act: Callable[[Config], None]) -> None:
    """Call alembic inside one transaction, which only one process has at a time."""
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
        act(config)
        restore_max_issued_ids(conn, max_ids)  # a table that a migration copied has lost its largest issued id
