"""Fences: a holder that has lost its lease cannot write, however late it wakes up."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from pipeline.core.errors import StaleFence
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.sql.bulk import upsert


def advance_fence(conn: Connection, name: str, token: int) -> None:
    """Raise the fence to `token` in this transaction. Raise StaleFence if it has seen a larger token."""
    raised = conn.execute(_RAISE[conn.dialect.name], {"name": name, "token": token})
    if raised.scalar() is None:
        raise StaleFence(f"{name}: a newer holder has written")


def _build_raise(made: postgresql.Insert | sqlite.Insert) -> ReturningInsert[tuple[int]]:
    may_rise = Fence.token <= made.excluded.token
    raised = made.on_conflict_do_update(index_elements=["name"], set_={"token": made.excluded.token}, where=may_rise)
    return raised.returning(Fence.token)


# Built once: every batch executes one of them.
_RAISE = {
    "sqlite": _build_raise(sqlite.insert(Fence)),
    "postgresql": _build_raise(postgresql.insert(Fence)),
}


def lock_fence(conn: Connection, name: str) -> None:
    """Lock the fence until this transaction ends; other transactions that use it wait. Needs no token.

    (On SQLite there is only one writer anyway.)
    """
    fence = Fence.__table__
    upsert(conn, fence, [{"name": name, "token": 0}], update_columns=())
    conn.execute(select(fence.c.token).where(fence.c.name == name).with_for_update())
