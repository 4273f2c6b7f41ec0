"""A clock that is set back by an hour: nothing waits for the difference."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any, cast

from redbeat.decoder import RedBeatJSONDecoder, RedBeatJSONEncoder

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.installation import Installation
from bench.chaos.waiting import wait_until
from pipeline.infra import redis_keys
from pipeline.ledger.clock_correction import shift_waits
from pipeline.ledger.engine import writing

SET_BACK_S = 3_600
_US_PER_S = 1_000_000
_SCHEDULE = "cratewire:redbeat::schedule"


def set_back(scene: FaultRun) -> None:
    """Everything that waits, in Redis and in the ledger, lies an hour further ahead, as a clock set back leaves it."""
    marks = 2  # Redis's clock and this host's: before the first check their values are unknown
    wait_until(
        lambda: int(cast("Any", scene.here.redis.hlen(redis_keys.CLOCK_MARKS))) >= marks,
        "the clocks have been looked at",
    )
    with scene.here.platform.fault(mode="status", code=503):
        time.sleep(3)
        _shift_stored_times(scene.here)
    time.sleep(scene.seconds(20, 15))


def _shift_stored_times(here: Installation) -> None:
    redis: Any = here.redis
    for key in redis.scan_iter("cratewire:*"):
        left = redis.pttl(key)
        if isinstance(left, int) and left > 0:
            redis.pexpire(key, left + SET_BACK_S * 1000)
    for key, due in redis.zrange(_SCHEDULE, 0, -1, withscores=True):
        redis.zadd(_SCHEDULE, {key: due + SET_BACK_S})
        meta = json.loads(redis.hget(key, "meta") or "{}", cls=RedBeatJSONDecoder)
        if meta.get("last_run_at"):
            meta["last_run_at"] += timedelta(seconds=SET_BACK_S)
            redis.hset(key, "meta", json.dumps(meta, cls=RedBeatJSONEncoder))
    for field, moment in redis.hgetall(redis_keys.CLOCK_MARKS).items():
        redis.hset(redis_keys.CLOCK_MARKS, field, f"{float(moment) + SET_BACK_S:.6f}")
    with writing(here.engine) as db:
        shift_waits(db, -SET_BACK_S * _US_PER_S, time.time_ns() // 1000)


FAULTS = (Fault("clock set back", set_back, resumes_s=30.0),)
