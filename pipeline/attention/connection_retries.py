"""Which connections that a platform refuses are to be tried again now with the keys that are saved."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import Engine

from pipeline.infra import redis_keys
from pipeline.ledger.connections import list_all_connections
from pipeline.ledger.engine import reading
from pipeline.operations.pause import is_paused_by_platform

RETRY_INTERVAL_S = 300


def claim_due_retries(engine: Engine, redis: Redis, now: int) -> list[int]:
    """Their ids; each is given once in five minutes, whoever asks."""
    with reading(engine) as db:
        refused = [
            one.id
            for one in list_all_connections(db)
            if one.status != "active" and is_paused_by_platform(one.status_reason)
        ]
    return [one for one in refused if redis.set(redis_keys.credential_retry(one), now, nx=True, ex=RETRY_INTERVAL_S)]
