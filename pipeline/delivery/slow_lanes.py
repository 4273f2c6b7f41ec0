"""Bulkhead: caps how many slow or untested lanes run at once.

A lane is fast once one of its sends was fast, until one is slow. A lane that has sent nothing yet may hang, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from redis import Redis

from pipeline.core.messages import Reply
from pipeline.delivery.open_connection import LANE_LEASE_MS
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.deliveries.lanes import LaneId

SLOW_CALL_S = 3.0  # less than the timeout of a connection that cannot be made
_US_PER_SECOND = 1_000_000
_TOKEN_BITS = 128

_ACQUIRE_SLOT = read_lua(__package__, "slow_lanes_acquire_slot")


def fast_lanes(redis: Redis, lanes: Collection[LaneId]) -> set[LaneId]:
    """Return the lanes whose last send was fast."""
    if not lanes:
        return set()
    replies: Any = redis.smismember(redis_keys.FAST_LANES, [_lane_name(lane) for lane in lanes])
    return {lane for lane, is_fast in zip(lanes, replies, strict=True) if is_fast}


def record_latencies(redis: Redis, replies: Mapping[LaneId, Reply]) -> None:
    """Record which lanes are fast, by how long the calls of a send took, whatever the platform answered."""
    slow = [_lane_name(lane) for lane, reply in replies.items() if _is_slow(reply)]
    fast = [_lane_name(lane) for lane, reply in replies.items() if not _is_slow(reply)]
    if slow:
        redis.srem(redis_keys.FAST_LANES, *slow)
    if fast:
        redis.sadd(redis_keys.FAST_LANES, *fast)


def count_free_slots(redis: Redis, slots: int) -> int:
    """Return how many slots for slow lanes are free."""
    taken: Any = redis.exists(*map(redis_keys.slow_lane_slot, range(slots)))
    return slots - int(taken)


@contextmanager
def acquire_slot(redis: Redis, slots: int, rng: Random) -> Iterator[bool]:
    """Hold a slot for one lane while the block runs. Yields False if all are taken."""
    with acquire_any(redis, [redis_keys.slow_lane_slot(number) for number in range(slots)], rng) as is_acquired:
        yield is_acquired


@contextmanager
def acquire_any(redis: Redis, keys: Sequence[str], rng: Random) -> Iterator[bool]:
    """Hold one of these slots while the block runs. Yields False if all are taken."""
    token = f"{rng.getrandbits(_TOKEN_BITS):032x}"
    slot: Any = redis.eval(_ACQUIRE_SLOT, len(keys), *keys, token, str(LANE_LEASE_MS))
    if not slot:
        yield False
        return
    with Lease(redis, keys[int(slot) - 1], token, LANE_LEASE_MS).keep():
        yield True


def _is_slow(reply: Reply) -> bool:
    return any(call.duration_us >= SLOW_CALL_S * _US_PER_SECOND for call in reply.calls)


def _lane_name(lane: LaneId) -> str:
    return "{}:{}".format(*lane)
