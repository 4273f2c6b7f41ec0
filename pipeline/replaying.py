"""Gives dead hooks and dead deliveries another try, under the ids they had."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import Connection as Database

from pipeline.inbox import stream, tries
from pipeline.inbox.raw_hook import RawHook
from pipeline.ledger.reading import DeadHookShown, DeadListed, replay_delivery, show_dead

REPLAY = "replay"


def replay(db: Database, redis: Redis, dead: DeadListed) -> bool:
    """Put one dead thing back on its way; False if it is gone or alive already.

    A hook goes into the inbox again with its receipt and its time of arrival, so that it is neither counted nor
    ordered as a new one; if it dies again it is the same dead hook. A delivery waits in its lane again.
    """
    if dead.kind == "delivery":
        return replay_delivery(db, dead.id)
    shown = show_dead(db, "hook", dead.id)
    if not isinstance(shown, DeadHookShown):
        return False
    tries.forget(redis, [(shown.raw, shown.query)])
    store, event = shown.listed.store, shown.listed.name or ""
    hook = RawHook(shown.receipt, store, shown.version, event, shown.received_at, shown.raw, shown.query, REPLAY)
    stream.add(redis, hook)
    return True
