"""Which connections that a platform refuses are to be tried again now with the keys that are saved."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import Engine

from pipeline import keys
from pipeline.ledger.connections import load_connections
from pipeline.ledger.engine import reading
from pipeline.pausing import by_platform

EVERY_S = 300


def due(engine: Engine, redis: Redis, now: int) -> list[int]:
    """Their ids; each is given once in five minutes, whoever asks."""
    with reading(engine) as db:
        refused = [one.id for one in load_connections(db) if one.status != "active" and by_platform(one.status_reason)]
    return [one for one in refused if redis.set(keys.retried(one), now, nx=True, ex=EVERY_S)]
