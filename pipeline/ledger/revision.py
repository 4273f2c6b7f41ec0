"""Which revision a database has, and which one this code needs: read without alembic, which takes long to import."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect

from pipeline.ledger.engine import make_engine, reading

VERSIONS = Path(__file__).parent / "migrations" / "versions"
_FILE_NAME = re.compile(r"r(\d{4})_\w+\.py")
TABLE = "alembic_version"  # alembic's; one row, since our revisions are a line


@cache
def list_revisions() -> tuple[str, ...]:
    """Every revision that this code knows, the newest last: they are in the names of the migrations' files."""
    return tuple(sorted(found[1] for path in VERSIONS.iterdir() if (found := _FILE_NAME.fullmatch(path.name))))


def newest_revision() -> str:
    """The revision this code needs."""
    return list_revisions()[-1]


def current_revision(url: str) -> str | None:
    """The revision of this database; None if it has never been migrated."""
    engine = make_engine(url)
    try:
        return _read_revision(engine)
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has the tables this code needs."""
    return _read_revision(engine) == newest_revision()


def is_behind(engine: Engine) -> bool:
    """Whether tables that this code needs are missing. A newer version's database has them all."""
    revision = _read_revision(engine)
    return revision is None or revision in list_revisions()[:-1]


def _read_revision(engine: Engine) -> str | None:
    with reading(engine) as conn:
        return _select_revision(conn) if inspect(conn).has_table(TABLE) else None


def _select_revision(conn: Connection) -> str | None:
    found: str | None = conn.exec_driver_sql(f"SELECT version_num FROM {TABLE}").scalar()  # noqa: S608 a constant
    return found
