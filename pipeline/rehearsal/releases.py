"""Whether a version may start: with `CRATEWIRE_REHEARSED_UPGRADES` only one that was rehearsed, and accepted."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.rehearsals import list_rehearsed_stores
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.rehearsals import StartedRelease
from pipeline.ledger.sql.tables import insert_into


def check_release(conn: Connection, release: str, version: str) -> None:
    """Raise Misconfigured if this version has not started here before and was not rehearsed for every store.

    A database in which no version is noted has nothing to compare with: every version may start.
    """
    if not inspect(conn).has_table(StartedRelease.__tablename__):
        return
    started = set(conn.execute(select(StartedRelease.release)).scalars())
    if not started or release in started:
        return
    rehearsed = list_rehearsed_stores(conn, release)
    query = select(Store.id, Store.name).where(Store.removed_at.is_(None)).order_by(Store.name)
    missing = [row.name for row in conn.execute(query) if row.id not in rehearsed]
    if missing:
        raise Misconfigured(
            f"version {version} ({release}) was not rehearsed for {', '.join(missing)}, or its differences were not "
            "accepted. With the version before: `cratewire rehearse --store NAME --against PATH --save`, then "
            "`cratewire rehearse --accept ID`; or unset CRATEWIRE_REHEARSED_UPGRADES"
        )


def note_release(conn: Connection, release: str, version: str, now: int) -> None:
    """Note that this version has started here."""
    row = {"release": release, "version": version, "started_at": now}
    conn.execute(insert_into(conn, StartedRelease).values(row).on_conflict_do_nothing())
