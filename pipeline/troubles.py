"""Keeps in Redis what tasks say of the database while they fail of it, so that every process can name it.

What no task has said for a while is over: nothing need be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline import keys
from pipeline.ledger.trouble import Trouble

KEPT_S = 60  # the sweeps try every few seconds, but a statement may take as long as its time limit


@dataclass(frozen=True, slots=True)
class NotedTrouble:
    """What is wrong with the database, since when (µs), and the task that said so last."""

    code: str
    says: str
    advice: str
    task: str
    since: int


def note_trouble(redis: Redis, trouble: Trouble, task: str, now: int) -> None:
    """Keep what a task has met. `since` stays that of the first while one follows the other."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(keys.LEDGER_TROUBLE, "since", now)
        said: dict[Any, Any] = {"code": trouble.code, "says": trouble.says, "advice": trouble.advice, "task": task}
        pipe.hset(keys.LEDGER_TROUBLE, mapping=said)
        pipe.expire(keys.LEDGER_TROUBLE, KEPT_S)
        pipe.execute()


def trouble_now(redis: Redis) -> NotedTrouble | None:
    """What tasks have said of the database within the last minute."""
    found: Any = redis.hgetall(keys.LEDGER_TROUBLE)
    kept = {name.decode(): value.decode() for name, value in found.items()}
    if not kept:
        return None
    return NotedTrouble(kept["code"], kept["says"], kept["advice"], kept["task"], int(kept["since"]))
