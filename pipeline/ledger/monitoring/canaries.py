"""Canaries: requested, sent, answered, arrived. `pipeline.monitoring.canary_status` judges what they prove."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update

from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.monitoring import Canary

RETENTION_US = 7 * 86_400_000_000  # a canary may wait in a spool for days, and must still be known when it arrives


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
    """Write a canary to send to this store's URL, and delete old canaries."""
    conn.execute(delete(Canary).where(Canary.wanted_at < now - RETENTION_US))
    conn.execute(insert(Canary).values(store_id=store_id, nonce=nonce, wanted_at=now))


def list_unsent_canaries(conn: Connection) -> list[int]:
    """The ids of the canaries that have not been sent."""
    return list(conn.execute(select(Canary.id).where(Canary.sent_at.is_(None)).order_by(Canary.id)).scalars())


def claim_canary(conn: Connection, canary_id: int, now: int) -> CanaryRow | None:
    """Claim a canary for sending; None if it was claimed before."""
    statement = update(Canary).where(Canary.id == canary_id, Canary.sent_at.is_(None)).values(sent_at=now)
    row = conn.execute(statement.returning(*Canary.__table__.columns)).one_or_none()
    return None if row is None else CanaryRow(**row._asdict())


def record_canary_answer(conn: Connection, canary_id: int, fault: str | None, now: int) -> None:
    """Record that the public address answered as ours (None), or why it was not our answer."""
    conn.execute(update(Canary).where(Canary.id == canary_id).values(answered_at=now, fault=fault))


def list_newest_canaries(conn: Connection, limit: int, store_id: int | None = None) -> list[CanaryRow]:
    """The newest canaries, newest first; to one store's URL, or to any."""
    to_store = [] if store_id is None else [Canary.store_id == store_id]
    query = select(Canary.__table__).where(*to_store).order_by(Canary.id.desc()).limit(limit)
    return [CanaryRow(**row._asdict()) for row in conn.execute(query)]


def find_next_canary_store(conn: Connection) -> int | None:
    """The store whose URL has had no canary for the longest time; None if there is no store."""
    last = func.coalesce(func.max(Canary.wanted_at), 0)
    stores = select(Store.id).join(Canary, Canary.store_id == Store.id, isouter=True).group_by(Store.id)
    return conn.execute(stores.order_by(last, Store.id).limit(1)).scalar()
