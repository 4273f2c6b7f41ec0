"""Fences: a holder whose lease has passed on writes nothing, however late it wakes up."""

from __future__ import annotations

from sqlalchemy import Connection as Database
from sqlalchemy import select, update

from pipeline.core.errors import StaleFence
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk import upsert
from pipeline.ledger.sql.tables import get_table


def advance_fence(conn: Database, name: str, token: int) -> None:
    """Raise the fence to `token` for this transaction. Raises StaleFence if a larger token has been here."""
    fence = get_table(core.Fence)
    upsert(conn, fence, [{"name": name, "token": token}], update_columns=())
    passed = conn.execute(update(fence).where(fence.c.name == name, fence.c.token <= token).values(token=token))
    if passed.rowcount == 0:
        raise StaleFence(f"{name}: a newer holder has been here")


def lock_fence(conn: Database, name: str) -> None:
    """Keep whoever passes this fence waiting until this transaction ends. It needs no token: it is over by then.

    (On SQLite there is only one writer anyway.)
    """
    fence = get_table(core.Fence)
    upsert(conn, fence, [{"name": name, "token": 0}], update_columns=())
    conn.execute(select(fence.c.token).where(fence.c.name == name).with_for_update())
