"""Fences: a holder that has lost its lease cannot write, however late it wakes up."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from pipeline.core.errors import StaleFence
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.sql.bulk import upsert


def advance_fence(conn: Connection, name: str, token: int) -> None:
    """Raise the fence to `token` in this transaction. Raise StaleFence if it has seen a larger token."""
    fence = Fence.__table__
    upsert(conn, fence, [{"name": name, "token": token}], update_columns=())
    raised = conn.execute(update(fence).where(fence.c.name == name, fence.c.token <= token).values(token=token))
    if raised.rowcount == 0:
        raise StaleFence(f"{name}: a newer holder has written")


def lock_fence(conn: Connection, name: str) -> None:
    """Lock the fence until this transaction ends; other transactions that use it wait. Needs no token.

    (On SQLite there is only one writer anyway.)
    """
    fence = Fence.__table__
    upsert(conn, fence, [{"name": name, "token": 0}], update_columns=())
    conn.execute(select(fence.c.token).where(fence.c.name == name).with_for_update())
