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

from pipeline.inbox import stream
from pipeline.inbox.entry import InboxEntry
from pipeline.infra import redis_keys

_STORE_CONSUMER_PREFIX = "store:"  # begins the name under which hooks of a store are pending that were left for later
ISOLATION_S = 60  # after hooks of a store used up its share
MAX_SCAN_READS = 10  # portions in which others' hooks are looked for, behind those of stores read by themselves


def isolate_stores(redis: Redis, stores: Collection[str], deferred: Mapping[str, Sequence[str]]) -> None:
    """Read these stores by themselves from now on; by store, the entries that are left for later."""
    if stores:
        with redis.pipeline(transaction=True) as pipe:
            pipe.sadd(redis_keys.ISOLATED_STORES, *stores)
            pipe.expire(redis_keys.ISOLATED_STORES, ISOLATION_S)
            pipe.execute()
    _defer(redis, deferred)


def _defer(redis: Redis, deferred: Mapping[str, Sequence[str]]) -> None:
    with redis.pipeline(transaction=True) as pipe:
        for store, entry_ids in deferred.items():
            pipe.xclaim(
                redis_keys.INBOX,
                redis_keys.INBOX_GROUP,
                _STORE_CONSUMER_PREFIX + store,
                0,
                list(entry_ids),
                justid=True,
            )
        pipe.execute()


def read(redis: Redis, count: int, max_bytes: int) -> list[InboxEntry]:
    """The hooks that are next: those of all stores but the ones that are read by themselves, or of one of these.

    They take turns. Bounds are those of `stream.read`.
    """
    waiting, alone = _get_isolated_stores(redis)
    if not alone:
        return stream.read(redis, count, max_bytes)
    served: Any = redis.hmget(redis_keys.LAST_SERVED, "who", "store")
    who, store = ((one or b"").decode() for one in served)
    if (who != "all" or not waiting) and (found := _read_other_stores(redis, count, max_bytes, alone)):
        redis.hset(redis_keys.LAST_SERVED, "who", "all")
        return found
    waiting = waiting or _get_isolated_stores(redis)[0]  # some may have been met just now
    if not waiting:
        return []
    store = next((one for one in waiting if one > store), waiting[0])
    redis.hset(redis_keys.LAST_SERVED, mapping={"who": "one", "store": store})
    return stream.read(redis, count, max_bytes, _STORE_CONSUMER_PREFIX + store)


def _get_isolated_stores(redis: Redis) -> tuple[list[str], frozenset[str]]:
    """The stores that have hooks waiting under a name of their own, and all that are read by themselves."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.smembers(redis_keys.ISOLATED_STORES)
        pipe.xinfo_consumers(redis_keys.INBOX, redis_keys.INBOX_GROUP)
        costly, consumers = pipe.execute(raise_on_error=False)
    if isinstance(costly, RedisError):
        raise costly
    if isinstance(consumers, ResponseError):  # there is no stream yet, or no group
        consumers = []
    if isinstance(consumers, RedisError):
        raise consumers
    names = [one["name"].decode() for one in consumers if one["pending"]]
    waiting = sorted(
        name.removeprefix(_STORE_CONSUMER_PREFIX) for name in names if name.startswith(_STORE_CONSUMER_PREFIX)
    )
    return waiting, frozenset({*waiting, *(name.decode() for name in costly)})


def _read_other_stores(redis: Redis, count: int, max_bytes: int, isolated: frozenset[str]) -> list[InboxEntry]:
    """Hooks of other stores; those of these that are met on the way join the ones that were left for later."""
    for _ in range(MAX_SCAN_READS):
        found = stream.read(redis, count, max_bytes)
        joining: defaultdict[str, list[str]] = defaultdict(list)
        for entry in found:
            if entry.store in isolated:
                joining[entry.store].append(entry.entry_id)
        if joining:
            _defer(redis, joining)
        others = [entry for entry in found if entry.store not in isolated]
        if others or not joining:
            return others
    return []
