"""Canaries: asked for, sent, answered, arrived. What they prove is judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update

from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.monitoring import Canary

RETENTION_US = 7 * 86_400_000_000  # one may lie in a spool for days, and must still be known when it comes


@dataclass(frozen=True, slots=True)
class CanaryRow:
    """A canary as the ledger has it."""

    id: int
    store_id: int
    nonce: str = field(repr=False)
    wanted_at: int
    sent_at: int | None
    answered_at: int | None
    fault: str | None
    arrived_at: int | None


def request_canary(conn: Connection, store_id: int, nonce: str, now: int) -> None:
    """Have one sent to this store's address, and forget old ones."""
    conn.execute(delete(Canary).where(Canary.wanted_at < now - RETENTION_US))
    conn.execute(insert(Canary).values(store_id=store_id, nonce=nonce, wanted_at=now))


def list_unsent_canaries(conn: Connection) -> list[int]:
    """Those that have not been sent yet."""
    return list(conn.execute(select(Canary.id).where(Canary.sent_at.is_(None)).order_by(Canary.id)).scalars())


def claim_canary(conn: Connection, canary_id: int, now: int) -> CanaryRow | None:
    """Take one to send it; None if somebody has."""
    mine = update(Canary).where(Canary.id == canary_id, Canary.sent_at.is_(None)).values(sent_at=now)
    row = conn.execute(mine.returning(*Canary.__table__.columns)).one_or_none()
    return None if row is None else CanaryRow(**row._asdict())


def record_canary_answer(conn: Connection, canary_id: int, fault: str | None, now: int) -> None:
    """What the public address answered: us (None), or why it was not us."""
    conn.execute(update(Canary).where(Canary.id == canary_id).values(answered_at=now, fault=fault))


def list_newest_canaries(conn: Connection, limit: int, store_id: int | None = None) -> list[CanaryRow]:
    """The newest first; to one store's address, or to any."""
    mine = [] if store_id is None else [Canary.store_id == store_id]
    query = select(Canary.__table__).where(*mine).order_by(Canary.id.desc()).limit(limit)
    return [CanaryRow(**row._asdict()) for row in conn.execute(query)]


def find_next_canary_store(conn: Connection) -> int | None:
    """Whose address has not been tried for the longest time; None if there is no store."""
    last = func.coalesce(func.max(Canary.wanted_at), 0)
    tried = select(Store.id).join(Canary, Canary.store_id == Store.id, isouter=True).group_by(Store.id)
    return conn.execute(tried.order_by(last, Store.id).limit(1)).scalar()
