"""Stores in Redis which fault of the database makes tasks fail, so that every process can report it.

The entry expires by itself: a fault that no task has met for a minute is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.infra import redis_keys
from pipeline.ledger.faults import DatabaseFault

TROUBLE_TTL_S = 60  # sweeps try every few seconds, but a statement may take as long as its time limit


@dataclass(frozen=True, slots=True)
class ReportedTrouble:
    """What is wrong with the database, since when (µs), and the last task that failed because of it."""

    code: str
    says: str
    advice: str
    task: str
    since: int


def report_trouble(redis: Redis, trouble: DatabaseFault, task: str, now: int) -> None:
    """Store the fault that a task has met. `since` stays that of the first fault while they follow each other."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(redis_keys.LEDGER_TROUBLE, "since", now)
        fields: dict[Any, Any] = {"code": trouble.code, "says": trouble.says, "advice": trouble.advice, "task": task}
        pipe.hset(redis_keys.LEDGER_TROUBLE, mapping=fields)
        pipe.expire(redis_keys.LEDGER_TROUBLE, TROUBLE_TTL_S)
        pipe.execute()


def get_reported_trouble(redis: Redis) -> ReportedTrouble | None:
    """The fault that tasks have met within the last minute; None if there was none."""
    stored: Any = redis.hgetall(redis_keys.LEDGER_TROUBLE)
    fields = {name.decode(): value.decode() for name, value in stored.items()}
    if not fields:
        return None
    return ReportedTrouble(fields["code"], fields["says"], fields["advice"], fields["task"], int(fields["since"]))
