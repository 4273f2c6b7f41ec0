"""Takes our own canaries out of a batch and notes that they arrived: they came as hooks do, and are no events.

A canary carries a number that only the ledger and the canary know. A hook by that name with any other number is a
stranger's who has a hook address, and goes the way of every unknown event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection as Database
from sqlalchemy import select, update

from pipeline.core.hooks import CANARY, FailedHook, HookEnvelope, ValidHook
from pipeline.ledger.schema.monitoring import Canary
from pipeline.recording.dead_letters import RawBody

MAX_CANARY_BYTES = 200  # bytes; ours has about fifty, and a stranger's may be nested deeper than can be read


def extract_canaries(
    conn: Database,
    hooks: Sequence[ValidHook],
    failed: Sequence[FailedHook],
    raw_bodies: Mapping[str, RawBody],
    now: int,
) -> tuple[list[ValidHook], list[FailedHook]]:
    """The batch without canaries. One that failed is dropped: that it does not arrive says it all."""
    came = {hook["entry_id"]: nonce for hook in hooks if (nonce := _read_nonce(hook, hook["data"]))}
    lost = {
        hook["entry_id"]: nonce for hook in failed if (nonce := _read_nonce(hook, _parse_sent_body(raw_bodies, hook)))
    }
    nonces = {*came.values(), *lost.values()}
    if not nonces:
        return list(hooks), list(failed)
    ours = set(conn.execute(select(Canary.nonce).where(Canary.nonce.in_(nonces))).scalars())
    first = update(Canary).where(Canary.nonce.in_(ours & {*came.values()}), Canary.arrived_at.is_(None))
    conn.execute(first.values(arrived_at=now))
    return (
        [hook for hook in hooks if came.get(hook["entry_id"]) not in ours],
        [hook for hook in failed if lost.get(hook["entry_id"]) not in ours],
    )


def _read_nonce(hook: HookEnvelope, body: object) -> str | None:
    if hook["event"] != CANARY or not isinstance(body, dict):
        return None
    nonce = body.get(CANARY)
    # Ours are hexadecimal; a stranger's may be what no database takes.
    return nonce if isinstance(nonce, str) and nonce.isascii() and nonce.isalnum() else None


def _parse_sent_body(raw_bodies: Mapping[str, RawBody], hook: FailedHook) -> object:
    """What we sent, if it was us: plain JSON."""
    raw, _ = raw_bodies.get(hook["entry_id"], (b"", None))
    if hook["event"] != CANARY or len(raw) > MAX_CANARY_BYTES:
        return None
    try:
        body: object = json.loads(raw)
    except ValueError:
        return None
    return body
