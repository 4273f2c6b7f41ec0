"""Keeps in Redis what tasks say of the database while they fail of it, so that every process can name it.

What no task has said for a while is over: nothing need be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.infra import redis_keys
from pipeline.ledger.faults import DatabaseFault

TROUBLE_TTL_S = 60  # the sweeps try every few seconds, but a statement may take as long as its time limit


@dataclass(frozen=True, slots=True)
class ReportedTrouble:
    """What is wrong with the database, since when (µs), and the task that said so last."""

    code: str
    says: str
    advice: str
    task: str
    since: int


def report_trouble(redis: Redis, trouble: DatabaseFault, task: str, now: int) -> None:
    """Keep what a task has met. `since` stays that of the first while one follows the other."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(redis_keys.LEDGER_TROUBLE, "since", now)
        said: dict[Any, Any] = {"code": trouble.code, "says": trouble.says, "advice": trouble.advice, "task": task}
        pipe.hset(redis_keys.LEDGER_TROUBLE, mapping=said)
        pipe.expire(redis_keys.LEDGER_TROUBLE, TROUBLE_TTL_S)
        pipe.execute()


def get_reported_trouble(redis: Redis) -> ReportedTrouble | None:
    """What tasks have said of the database within the last minute."""
    found: Any = redis.hgetall(redis_keys.LEDGER_TROUBLE)
    kept = {name.decode(): value.decode() for name, value in found.items()}
    if not kept:
        return None
    return ReportedTrouble(kept["code"], kept["says"], kept["advice"], kept["task"], int(kept["since"]))
