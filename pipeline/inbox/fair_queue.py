"""Reads the inbox so that one store's costly hooks do not delay the hooks of other stores.

A store whose hooks used up its share of a batch is isolated: it is read separately for a while, in turn with all other
stores. Its deferred hooks stay in the stream, pending under a consumer of the store's own instead of the usual one, and
its new hooks join them, so they keep their order. Only the holder of the chain lease does any of this.
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

_STORE_CONSUMER_PREFIX = "store:"  # of the consumer that an isolated store's hooks are pending under
ISOLATION_S = 60  # after a store used up its share
MAX_SCAN_READS = 10  # reads to find other stores' hooks behind those of isolated stores


def isolate_stores(redis: Redis, stores: Collection[str], deferred: Mapping[str, Sequence[str]]) -> None:
    """Read these stores separately from now on. `deferred`: store -> entries to read later."""
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
    """Read the next hooks: either of all stores that are not isolated, or of one isolated store, in turn.

    The limits are those of `stream.read`.
    """
    waiting, isolated = _get_isolated_stores(redis)
    if not isolated:
        return stream.read(redis, count, max_bytes)
    last_served: Any = redis.hmget(redis_keys.LAST_SERVED, "who", "store")
    who, last_store = ((value or b"").decode() for value in last_served)
    if (who != "all" or not waiting) and (entries := _read_other_stores(redis, count, max_bytes, isolated)):
        redis.hset(redis_keys.LAST_SERVED, "who", "all")
        return entries
    waiting = waiting or _get_isolated_stores(redis)[0]  # the read may have deferred some just now
    if not waiting:
        return []
    store = next((name for name in waiting if name > last_store), waiting[0])
    redis.hset(redis_keys.LAST_SERVED, mapping={"who": "one", "store": store})
    return stream.read(redis, count, max_bytes, _STORE_CONSUMER_PREFIX + store)


def _get_isolated_stores(redis: Redis) -> tuple[list[str], frozenset[str]]:
    """Return the stores with deferred hooks, and all isolated stores."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.smembers(redis_keys.ISOLATED_STORES)
        pipe.xinfo_consumers(redis_keys.INBOX, redis_keys.INBOX_GROUP)
        isolated, consumers = pipe.execute(raise_on_error=False)
    if isinstance(isolated, RedisError):
        raise isolated
    if isinstance(consumers, ResponseError):  # there is no stream yet, or no group
        consumers = []
    if isinstance(consumers, RedisError):
        raise consumers
    names = [consumer["name"].decode() for consumer in consumers if consumer["pending"]]
    waiting = sorted(
        name.removeprefix(_STORE_CONSUMER_PREFIX) for name in names if name.startswith(_STORE_CONSUMER_PREFIX)
    )
    return waiting, frozenset({*waiting, *(name.decode() for name in isolated)})


def _read_other_stores(redis: Redis, count: int, max_bytes: int, isolated: frozenset[str]) -> list[InboxEntry]:
    """Read hooks of stores that are not isolated. Hooks of isolated stores in between are deferred."""
    for _ in range(MAX_SCAN_READS):
        entries = stream.read(redis, count, max_bytes)
        deferred: defaultdict[str, list[str]] = defaultdict(list)
        for entry in entries:
            if entry.store in isolated:
                deferred[entry.store].append(entry.entry_id)
        if deferred:
            _defer(redis, deferred)
        others = [entry for entry in entries if entry.store not in isolated]
        if others or not deferred:
            return others
    return []
