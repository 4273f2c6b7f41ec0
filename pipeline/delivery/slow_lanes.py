"""Keeps lanes that hang from taking all there is room for: those that are not trusted have so many places.

A lane is trusted once a send of it was quick, until one was slow. What nobody has tried yet may hang too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from redis import Redis

from pipeline.core.messages import Reply
from pipeline.delivery.open_connection import LANE_LEASE_MS
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua
from pipeline.infra.redis_lease import Lease

SLOW_CALL_S = 3.0  # of one call; less than a connection that is not made takes
_US_PER_SECOND = 1_000_000
_TOKEN_BITS = 128

_ACQUIRE_SLOT = read_lua(__package__, "slow_lanes_acquire_slot")

LaneId = tuple[int, int]  # connection, lane


def fast_lanes(redis: Redis, lanes: Collection[LaneId]) -> set[LaneId]:
    """Those of them that are."""
    if not lanes:
        return set()
    known: Any = redis.smismember(redis_keys.FAST_LANES, [_lane_name(lane) for lane in lanes])
    return {lane for lane, is_known in zip(lanes, known, strict=True) if is_known}


def record_latency(redis: Redis, lane: LaneId, reply: Reply) -> None:
    """Trust the lane or not, after how long the calls of a send took, whatever was answered."""
    slow = any(call.duration_us >= SLOW_CALL_S * _US_PER_SECOND for call in reply.calls)
    (redis.srem if slow else redis.sadd)(redis_keys.FAST_LANES, _lane_name(lane))


def count_free_slots(redis: Redis, slots: int) -> int:
    """How many are not taken."""
    taken: Any = redis.exists(*map(redis_keys.slow_lane_slot, range(slots)))
    return slots - int(taken)


@contextmanager
def acquire_slot(redis: Redis, slots: int, rng: Random) -> Iterator[bool]:
    """A place for one lane while the block runs. False: all are taken."""
    token = f"{rng.getrandbits(_TOKEN_BITS):032x}"
    names = [redis_keys.slow_lane_slot(number) for number in range(slots)]
    found: Any = redis.eval(_ACQUIRE_SLOT, len(names), *names, token, str(LANE_LEASE_MS))
    if not found:
        yield False
        return
    lease = Lease(redis, names[int(found) - 1], token, LANE_LEASE_MS)
    try:
        with lease.kept():
            yield True
    finally:
        lease.release()


def _lane_name(lane: LaneId) -> str:
    return "{}:{}".format(*lane)
