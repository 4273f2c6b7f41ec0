"""Gives dead hooks and dead deliveries another try, under the ids they had."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import Connection as Database
from sqlalchemy import Engine, literal, or_, select

from pipeline.core.hooks import INTERNAL_ERROR, REPLAY
from pipeline.inbox import poison, stream
from pipeline.inbox.entry import RawHook
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import DeadHookDetail, DeadLetterSummary, get_dead_letter, replay_delivery
from pipeline.ledger.schema.core import DeadHook

_MINUTE_US = 60_000_000


def replay(conn: Database, redis: Redis, dead: DeadLetterSummary) -> bool:
    """Put one dead thing back on its way; False if it is gone or alive already.

    A hook goes into the inbox again with its receipt and its time of arrival, so that it is neither counted nor
    ordered as a new one; if it dies again it is the same dead hook. A delivery waits in its lane again.
    """
    if dead.kind == "delivery":
        return replay_delivery(conn, dead.id)
    return _put_back(conn, redis, dead.id)


def replay_faults_of_others(engine: Engine, redis: Redis, release: str, most: int, now: int) -> list[str]:
    """Put hooks back that died of a fault of ours with another release than this, oldest first; returns their receipts.

    One that dies again has this release in its detail, and is left alone until the next. While two releases run side
    by side, each lets the other's dead be tried: so a hook waits as many minutes as it has died times.
    """
    ours = DeadHook.reason == literal(INTERNAL_ERROR, literal_execute=True)  # as the index says it
    other = DeadHook.detail["release"].as_string()
    rested = (now - DeadHook.died_at) // _MINUTE_US >= DeadHook.times
    found = select(DeadHook.id, DeadHook.receipt).where(ours, DeadHook.replayed_at.is_(None), rested)
    with reading(engine) as db:
        dead = db.execute(found.where(or_(other.is_(None), other != release)).order_by(DeadHook.id).limit(most)).all()
        return [row.receipt for row in dead if _put_back(db, redis, row.id)]


def _put_back(db: Database, redis: Redis, dead_id: int) -> bool:
    shown = get_dead_letter(db, "hook", dead_id)
    if not isinstance(shown, DeadHookDetail):
        return False
    poison.reset_tries(redis, [(shown.raw, shown.query)])
    store, event = shown.listed.store, shown.listed.name or ""
    hook = RawHook(shown.receipt, store, shown.version, event, shown.received_at, shown.raw, shown.query, REPLAY)
    stream.add(redis, hook)
    return True
