"""Fences: a holder whose lease has passed on writes nothing, however late it wakes up."""

from __future__ import annotations

from sqlalchemy import Connection as Database
from sqlalchemy import select, update

from pipeline.errors import StaleFence
from pipeline.ledger import tables
from pipeline.record.known import table_of
from pipeline.record.upsert import upsert


def pass_fence(db: Database, name: str, token: int) -> None:
    """Raise the fence to `token` for this transaction. Raises StaleFence if a larger token has been here."""
    fence = table_of(tables.Fence)
    upsert(db, fence, [{"name": name, "token": token}], update=())
    passed = db.execute(update(fence).where(fence.c.name == name, fence.c.token <= token).values(token=token))
    if passed.rowcount == 0:
        raise StaleFence(f"{name}: a newer holder has been here")


def hold(db: Database, name: str) -> None:
    """Keep whoever passes this fence waiting until this transaction ends. It needs no token: it is over by then.

    (On SQLite there is only one writer anyway.)
    """
    fence = table_of(tables.Fence)
    upsert(db, fence, [{"name": name, "token": 0}], update=())
    db.execute(select(fence.c.token).where(fence.c.name == name).with_for_update())
