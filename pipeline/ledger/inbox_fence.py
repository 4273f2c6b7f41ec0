"""The fences of the inbox, one for each partition, whose chains record at the same time; and how to wait for them."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.ledger.schema.core import Event
from pipeline.ledger.schema.fences import Fence

_INBOX = "inbox"  # the fence of partition 0, and of the only chain before there were partitions
_NAMES = tuple(f"{_INBOX}:{number}" if number else _INBOX for number in range(MAX_PARTITIONS))
_ADD_MISSING = text("INSERT INTO fences (name, token) SELECT unnest(:names ::text[]), 0 ON CONFLICT DO NOTHING")


def get_fence_name(partition: int) -> str:
    """The name of the fence that the chain of this partition advances."""
    return _NAMES[partition]


def lock_inbox(conn: Connection) -> None:
    """Let no chain record anything until this transaction ends; what they are recording is waited for.

    All fences are locked, in one order, also those of partitions that have never been used: one may be any moment.
    (On SQLite a transaction that writes is alone anyway.)
    """
    if conn.dialect.name == "sqlite":
        return
    fence = Fence.__table__
    lock = select(fence.c.token).where(fence.c.name.in_(_NAMES)).order_by(fence.c.name).with_for_update()
    if len(conn.execute(lock).all()) < MAX_PARTITIONS:
        conn.execute(_ADD_MISSING, {"names": sorted(_NAMES)})
        conn.execute(lock).all()


def find_settled_event_id(conn: Connection) -> int:
    """The id up to which no event is missing any more; 0 if there is none.

    Two chains draw ids at the same time and commit in any order, so of the newest ids one may still come. The caller's
    transaction should end at once: until then no chain records.
    """
    lock_inbox(conn)
    return conn.execute(select(func.max(Event.id))).scalar() or 0
