"""Reads the inbox so that one store's costly hooks do not delay the hooks of other stores.

A store whose hooks used up its share of a batch is isolated: it is read separately for a while, in turn with all other
stores. Its deferred hooks stay in the stream, pending under a consumer of the store's own instead of the usual one, and
its new hooks join them, so they keep their order. Only the holder of the chain lease does any of this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from pipeline.inbox import stream
from pipeline.inbox.entry import InboxEntry
from pipeline.inbox.partitions import NUMBER, hash_store
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

_MOVE_STRANGERS = read_lua(__package__, "fair_queue_move")
_STORE_CONSUMER_PREFIX = "store:"  # of the consumer that an isolated store's hooks are pending under
ISOLATION_S = 60  # after a store used up its share
MAX_SCAN_READS = 10  # reads to find other stores' hooks behind those of isolated stores


@dataclass(frozen=True, slots=True)
class _State:
    """The stores with deferred hooks, all isolated stores, and the number of partitions (0: not known)."""

    waiting: list[str]
    isolated: frozenset[str]
    number: int


def isolate_stores(
    redis: Redis, stores: Collection[str], deferred: Mapping[str, Sequence[str]], partition: int = 0
) -> None:
    """Read these stores separately from now on. `deferred`: store -> entries to read later."""
    key = redis_keys.in_partition(redis_keys.ISOLATED_STORES, partition)
    if stores:
        with redis.pipeline(transaction=True) as pipe:
            pipe.sadd(key, *stores)
            pipe.expire(key, ISOLATION_S)
            pipe.execute()
    _defer(redis, deferred, partition)


def _defer(redis: Redis, deferred: Mapping[str, Sequence[str]], partition: int) -> None:
    key = redis_keys.in_partition(redis_keys.INBOX, partition)
    with redis.pipeline(transaction=True) as pipe:
        for store, entry_ids in deferred.items():
            pipe.xclaim(key, redis_keys.INBOX_GROUP, _STORE_CONSUMER_PREFIX + store, 0, list(entry_ids), justid=True)
        pipe.execute()


def read(redis: Redis, count: int, max_bytes: int, partition: int = 0) -> list[InboxEntry]:
    """Read the next hooks: either of all stores that are not isolated, or of one isolated store, in turn.

    The limits are those of `stream.read`. Hooks of stores that belong to another partition are moved there.
    """
    for _ in range(MAX_SCAN_READS):
        state = _read_state(redis, partition)
        found = _read_turn(redis, count, max_bytes, partition, state)
        entries = _keep_own(redis, found, partition, state.number)
        if entries or not found:
            return entries
    return []


def _read_turn(redis: Redis, count: int, max_bytes: int, partition: int, state: _State) -> list[InboxEntry]:
    if not state.isolated:
        return stream.read(redis, count, max_bytes, partition=partition)
    served_key = redis_keys.in_partition(redis_keys.LAST_SERVED, partition)
    last_served: Any = redis.hmget(served_key, "who", "store")
    who, last_store = ((value or b"").decode() for value in last_served)
    waiting = state.waiting
    if (who != "all" or not waiting) and (
        entries := _read_other_stores(redis, count, max_bytes, state.isolated, partition)
    ):
        redis.hset(served_key, "who", "all")
        return entries
    waiting = waiting or _read_state(redis, partition).waiting  # the read may have deferred some just now
    if not waiting:
        return []
    store = next((name for name in waiting if name > last_store), waiting[0])
    redis.hset(served_key, mapping={"who": "one", "store": store})
    return stream.read(redis, count, max_bytes, _STORE_CONSUMER_PREFIX + store, partition)


def _read_state(redis: Redis, partition: int) -> _State:
    with redis.pipeline(transaction=False) as pipe:
        pipe.smembers(redis_keys.in_partition(redis_keys.ISOLATED_STORES, partition))
        pipe.hget(redis_keys.PARTITIONS, NUMBER)
        pipe.xinfo_consumers(redis_keys.in_partition(redis_keys.INBOX, partition), redis_keys.INBOX_GROUP)
        isolated, number, consumers = pipe.execute(raise_on_error=False)
    for failed in (isolated, number):
        if isinstance(failed, RedisError):
            raise failed
    if isinstance(consumers, ResponseError):  # there is no stream yet, or no group
        consumers = []
    if isinstance(consumers, RedisError):
        raise consumers
    names = [consumer["name"].decode() for consumer in consumers if consumer["pending"]]
    waiting = sorted(
        name.removeprefix(_STORE_CONSUMER_PREFIX) for name in names if name.startswith(_STORE_CONSUMER_PREFIX)
    )
    return _State(waiting, frozenset({*waiting, *(name.decode() for name in isolated)}), int(number or 0))


def _read_other_stores(
    redis: Redis, count: int, max_bytes: int, isolated: frozenset[str], partition: int
) -> list[InboxEntry]:
    """Read hooks of stores that are not isolated. Hooks of isolated stores in between are deferred."""
    for _ in range(MAX_SCAN_READS):
        entries = stream.read(redis, count, max_bytes, partition=partition)
        deferred: defaultdict[str, list[str]] = defaultdict(list)
        for entry in entries:
            if entry.store in isolated:
                deferred[entry.store].append(entry.entry_id)
        if deferred:
            _defer(redis, deferred, partition)
        others = [entry for entry in entries if entry.store not in isolated]
        if others or not deferred:
            return others
    return []


def _keep_own(redis: Redis, entries: list[InboxEntry], partition: int, number: int) -> list[InboxEntry]:
    """Return the hooks whose stores belong to this partition, and move the others to the end of theirs.

    Such a hook comes from a web process of a release that knew no partitions, and writes to partition 0.
    """
    strangers = [entry.entry_id for entry in entries if number and hash_store(entry.store) % number != partition]
    if not strangers:
        return entries
    keys = (redis_keys.INBOX, redis_keys.PARTITIONS)
    moved: Any = redis.eval(_MOVE_STRANGERS, len(keys), *keys, redis_keys.INBOX_GROUP, partition, *strangers)
    ids = {entry_id.decode() for entry_id in moved}
    return [entry for entry in entries if entry.entry_id not in ids]
