"""Keeps lanes that hang from taking all there is room for: those that are not trusted have so many places.

A lane is trusted once a send of it was quick, until one was slow. What nobody has tried yet may hang too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from redis import Redis

from pipeline import keys
from pipeline.lanes.lease import Lease
from pipeline.lanes.line import LEASE_MS
from pipeline.model import Reply

SLOW_SECONDS = 3.0  # of one call; less than a connection that is not made takes
_MICROS = 1_000_000
_TOKEN_BITS = 128

_A_PLACE = """
for place, name in ipairs(KEYS) do
    if redis.call('SET', name, ARGV[1], 'NX', 'PX', ARGV[2]) then return place end
end
return 0
"""

LaneId = tuple[int, int]  # connection, lane


def trusted(redis: Redis, lanes: Collection[LaneId]) -> set[LaneId]:
    """Those of them that are."""
    if not lanes:
        return set()
    known: Any = redis.smismember(keys.TRUSTED, [_name(lane) for lane in lanes])
    return {lane for lane, is_known in zip(lanes, known, strict=True) if is_known}


def learn(redis: Redis, lane: LaneId, reply: Reply) -> None:
    """Trust the lane or not, after how long the calls of a send took, whatever was answered."""
    slow = any(call.duration_us >= SLOW_SECONDS * _MICROS for call in reply.calls)
    (redis.srem if slow else redis.sadd)(keys.TRUSTED, _name(lane))


def free_places(redis: Redis, places: int) -> int:
    """How many are not taken."""
    taken: Any = redis.exists(*map(keys.untrusted_place, range(places)))
    return places - int(taken)


@contextmanager
def a_place(redis: Redis, places: int, rng: Random) -> Iterator[bool]:
    """A place for one lane while the block runs. False: all are taken."""
    token = f"{rng.getrandbits(_TOKEN_BITS):032x}"
    names = [keys.untrusted_place(number) for number in range(places)]
    found: Any = redis.eval(_A_PLACE, len(names), *names, token, str(LEASE_MS))
    if not found:
        yield False
        return
    lease = Lease(redis, names[int(found) - 1], token, LEASE_MS)
    try:
        with lease.kept():
            yield True
    finally:
        lease.release()


def _name(lane: LaneId) -> str:
    return "{}:{}".format(*lane)
