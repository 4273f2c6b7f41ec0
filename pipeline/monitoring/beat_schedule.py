"""Whether beat sends its sweeps, according to the schedule that RedBeat stores in Redis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from redis import Redis

SCHEDULE_KEY = "cratewire:redbeat::schedule"  # RedBeat's: the key of a sweep -> when it is due next (s)
KEY_PREFIX = "cratewire:redbeat:"
MAX_MISSED_INTERVALS = 3  # then a sweep counts as unsent
MIN_OVERDUE_S = 15.0  # a restart of beat, or a change of its leader, takes as long


@dataclass(frozen=True, slots=True)
class UnsentSweep:
    """A sweep that is not sent. `unsent_for_s`: since it was last sent; negative if that lies in the future."""

    name: str
    interval_s: float
    unsent_for_s: float


def find_unsent_sweeps(redis: Redis, now_s: float) -> list[UnsentSweep]:
    """The sweeps that have not been sent for three intervals, or are due later than in three: a clock was set back.

    Empty while beat has never written a schedule. Raises redis.RedisError.
    """
    due: Any = redis.zrange(SCHEDULE_KEY, 0, -1, withscores=True)
    with redis.pipeline(transaction=False) as pipe:
        for key, _ in due:
            pipe.hget(key, "definition")
        definitions = pipe.execute()
    checked = (_check_sweep(key, at, raw, now_s) for (key, at), raw in zip(due, definitions, strict=True) if raw)
    return sorted((sweep for sweep in checked if sweep is not None), key=lambda sweep: sweep.name)


def _check_sweep(key: bytes, due_s: float, definition: bytes, now_s: float) -> UnsentSweep | None:
    every = json.loads(definition)["schedule"].get("every")
    if every is None:  # Celery's own cleanup has a daily crontab schedule
        return None
    since = now_s - (due_s - every)
    max_age_s = max(MAX_MISSED_INTERVALS * every, MIN_OVERDUE_S)
    is_late, is_ahead = since > max_age_s, due_s - now_s > max_age_s
    return UnsentSweep(key.decode().removeprefix(KEY_PREFIX), every, since) if is_late or is_ahead else None
