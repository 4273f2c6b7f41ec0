"""Reads the inbox so that one store's costly hooks hold no other store's up.

A store whose hooks used up its share of a batch is read by itself for a while, in turn with all others. Its hooks stay
in the stream, pending under a name of the store's own instead of the usual one, and new ones join them, so its order
holds. Only the holder of the inbox's turn does any of this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from pipeline import keys
from pipeline.inbox import stream
from pipeline.inbox.raw_hook import InboxEntry

_OWN = "store:"  # begins the name under which hooks of a store are pending that were left for later
BY_ITSELF_S = 60  # after hooks of a store used up its share
LOOKED_THROUGH = 10  # portions in which others' hooks are looked for, behind those of stores read by themselves


def read_alone(redis: Redis, stores: Collection[str], left: Mapping[str, Sequence[str]]) -> None:
    """Read these stores by themselves from now on; by store, the entries that are left for later."""
    if stores:
        with redis.pipeline(transaction=True) as pipe:
            pipe.sadd(keys.COSTLY, *stores)
            pipe.expire(keys.COSTLY, BY_ITSELF_S)
            pipe.execute()
    _put_by(redis, left)


def _put_by(redis: Redis, left: Mapping[str, Sequence[str]]) -> None:
    with redis.pipeline(transaction=True) as pipe:
        for store, entry_ids in left.items():
            pipe.xclaim(keys.INBOX, keys.INBOX_GROUP, _OWN + store, 0, list(entry_ids), justid=True)
        pipe.execute()


def read(redis: Redis, count: int, max_bytes: int) -> list[InboxEntry]:
    """The hooks that are next: those of all stores but the ones that are read by themselves, or of one of these.

    They take turns. Bounds are those of `stream.read`.
    """
    waiting, alone = _by_themselves(redis)
    if not alone:
        return stream.read(redis, count, max_bytes)
    served: Any = redis.hmget(keys.SERVED, "who", "store")
    who, store = ((one or b"").decode() for one in served)
    if (who != "all" or not waiting) and (found := _of_the_others(redis, count, max_bytes, alone)):
        redis.hset(keys.SERVED, "who", "all")
        return found
    waiting = waiting or _by_themselves(redis)[0]  # some may have been met just now
    if not waiting:
        return []
    store = next((one for one in waiting if one > store), waiting[0])
    redis.hset(keys.SERVED, mapping={"who": "one", "store": store})
    return stream.read(redis, count, max_bytes, _OWN + store)


def _by_themselves(redis: Redis) -> tuple[list[str], frozenset[str]]:
    """The stores that have hooks waiting under a name of their own, and all that are read by themselves."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.smembers(keys.COSTLY)
        pipe.xinfo_consumers(keys.INBOX, keys.INBOX_GROUP)
        costly, consumers = pipe.execute(raise_on_error=False)
    if isinstance(costly, RedisError):
        raise costly
    if isinstance(consumers, ResponseError):  # there is no stream yet, or no group
        consumers = []
    if isinstance(consumers, RedisError):
        raise consumers
    names = [one["name"].decode() for one in consumers if one["pending"]]
    waiting = sorted(name.removeprefix(_OWN) for name in names if name.startswith(_OWN))
    return waiting, frozenset({*waiting, *(name.decode() for name in costly)})


def _of_the_others(redis: Redis, count: int, max_bytes: int, alone: frozenset[str]) -> list[InboxEntry]:
    """Hooks of other stores; those of these that are met on the way join the ones that were left for later."""
    for _ in range(LOOKED_THROUGH):
        found = stream.read(redis, count, max_bytes)
        joining: defaultdict[str, list[str]] = defaultdict(list)
        for entry in found:
            if entry.store in alone:
                joining[entry.store].append(entry.entry_id)
        if joining:
            _put_by(redis, joining)
        others = [entry for entry in found if entry.store not in alone]
        if others or not joining:
            return others
    return []
