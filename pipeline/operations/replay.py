"""Replays dead hooks and dead deliveries under their old ids."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import Connection, Engine, literal, or_, select

from pipeline.core.hooks import INTERNAL_ERROR, REPLAY
from pipeline.inbox import poison, stream
from pipeline.inbox.entry import RawHook
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import DeadHookDetail, DeadLetterSummary, get_dead_letter
from pipeline.ledger.schema.core import DeadHook, Delivery, Store
from pipeline.operations.replays.pending import has_content, lock_messages, make_pending
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.redaction.raw_body import EMPTIED_KEY

_MINUTE_US = 60_000_000


def replay(conn: Connection, redis: Redis, dead: DeadLetterSummary, now: int) -> bool:
    """Replay one dead letter; False if it does not exist, is no longer dead, or named a person who was erased.

    A hook goes into the inbox again with its receipt and its time of arrival, so that it is neither counted nor
    ordered as a new hook; if it fails again it is the same dead hook. A delivery is pending in its lane again, as one
    of a replay is: behind live messages of others, with a profile of today, and without what consent withholds by now.
    """
    if dead.kind == "delivery":
        return replay_delivery(conn, dead.id, now)
    return put_back(conn, redis, dead.id)


def replay_internal_errors(engine: Engine, redis: Redis, release: str, limit: int, now: int) -> list[str]:
    """Replay hooks that died of an internal error in another release, oldest first; returns their receipts.

    A hook that dies again has this release in its detail, and is not replayed until the next release. While two
    releases run side by side, each replays the other's dead hooks: so a hook waits a minute for each time it has died.
    """
    internal = DeadHook.reason == literal(INTERNAL_ERROR, literal_execute=True)  # as the index says it
    other = DeadHook.detail["release"].as_string()
    has_waited = (now - DeadHook.died_at) // _MINUTE_US >= DeadHook.times
    is_full = DeadHook.detail[EMPTIED_KEY].as_string().is_(None)
    query = select(DeadHook.id, DeadHook.receipt).where(internal, DeadHook.replayed_at.is_(None), has_waited, is_full)
    with reading(engine) as conn:
        dead = conn.execute(
            query.where(or_(other.is_(None), other != release)).order_by(DeadHook.id).limit(limit)
        ).all()
        return [row.receipt for row in dead if put_back(conn, redis, row.id)]


def replay_delivery(conn: Connection, delivery_id: int, now: int) -> bool:
    """Send a dead delivery again, as replays do. False if it is not dead, or if its content is gone."""
    query = select(Store.name).join(Delivery, Delivery.store_id == Store.id).where(Delivery.id == delivery_id)
    stores = load_stores_by_name(conn, conn.execute(query).scalars().all()).values()
    found = [row for row in lock_messages(conn, [delivery_id]).values() if row.status == "dead" and has_content(row)]
    for store in stores:
        make_pending(conn, store, found, now)
    return bool(stores and found)


def put_back(conn: Connection, redis: Redis, dead_id: int) -> bool:
    """Put a dead hook into the inbox again; False if it does not exist, or its bytes are gone."""
    hook = get_dead_letter(conn, "hook", dead_id)
    if not isinstance(hook, DeadHookDetail) or EMPTIED_KEY in hook.detail:
        return False
    poison.reset_tries(redis, [(hook.raw, hook.query)])
    name = hook.listed.name or ""
    raw_hook = RawHook(
        hook.receipt, hook.listed.store, hook.version, name, hook.received_at, hook.raw, hook.query, REPLAY
    )
    stream.add(redis, raw_hook)
    return True
