"""Whether beat sends its sweeps, read from the schedule that RedBeat keeps in Redis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from redis import Redis

SCHEDULE_KEY = "cratewire:redbeat::schedule"  # RedBeat's: a sweep's key -> when it is due next (s)
KEY_PREFIX = "cratewire:redbeat:"
MAX_MISSED_INTERVALS = 3  # after so many without being sent a sweep is missed
MIN_OVERDUE_S = 15.0  # beat may be started anew, or another take over, without a fault


@dataclass(frozen=True, slots=True)
class UnsentSweep:
    """A sweep that is not sent: its name, its interval, and for how long it has not been (negative: it lies ahead)."""

    name: str
    interval_s: float
    unsent_for_s: float


def find_unsent_sweeps(redis: Redis, now_s: float) -> list[UnsentSweep]:
    """Sweeps not sent for three of their intervals, or due later than three from now, as a clock set back leaves them.

    Empty while beat has never laid a schedule. Raises redis.RedisError.
    """
    due: Any = redis.zrange(SCHEDULE_KEY, 0, -1, withscores=True)
    with redis.pipeline(transaction=False) as pipe:
        for key, _ in due:
            pipe.hget(key, "definition")
        definitions = pipe.execute()
    found = (_check_sweep(key, at, raw, now_s) for (key, at), raw in zip(due, definitions, strict=True) if raw)
    return sorted((one for one in found if one is not None), key=lambda one: one.name)


def _check_sweep(key: bytes, due_s: float, definition: bytes, now_s: float) -> UnsentSweep | None:
    every = json.loads(definition)["schedule"].get("every")
    if every is None:  # Celery's own clean-up, once a day by the calendar
        return None
    since = now_s - (due_s - every)
    patience = max(MAX_MISSED_INTERVALS * every, MIN_OVERDUE_S)
    late, ahead = since > patience, due_s - now_s > patience
    return UnsentSweep(key.decode().removeprefix(KEY_PREFIX), every, since) if late or ahead else None
