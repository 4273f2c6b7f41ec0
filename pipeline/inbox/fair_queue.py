"""Reads the inbox so that one store's many or costly hooks do not delay the hooks of other stores.

A store whose hooks used up its share of a batch, of time or of bytes while others wait, is isolated: it is read
separately for a while, in turn with all other stores, and in short turns while these have hooks. Its deferred hooks
stay in the stream, pending under a consumer of the store's own instead of the usual one, and its new hooks join them,
so they keep their order. Only the holder of the chain lease does any of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from pipeline.inbox import stream
from pipeline.inbox.entry import InboxEntry, from_fields
from pipeline.inbox.partitions import NUMBER, hash_store
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

_MOVE_STRANGERS = read_lua(__package__, "fair_queue_move")
_SORT = read_lua(__package__, "fair_queue_sort")
_TAIL = read_lua(__package__, "fair_queue_tail")
_STORE_CONSUMER_PREFIX = "store:"  # of the consumer that an isolated store's hooks are pending under
ISOLATION_S = 60  # after a store used up its share
MAX_SCAN_READS = 10  # reads to find other stores' hooks behind those of isolated stores
SCAN_BYTES = 8_000_000  # looked through in one of them: some milliseconds, in which Redis answers nothing else
SHORT_TURN_BYTES = 250_000  # of an isolated store while hooks of others come: about a tenth of a second
MAX_EMPTY_LOOKS = 50  # turns in which no other store had a hook, after which a turn need not be short
FULL_SHARE = 0.75  # of the bytes of a batch, above which it counts as full
TAIL_ENTRIES = 100  # the newest hooks, among which those of other stores are looked for


@dataclass(frozen=True, slots=True)
class Turn:
    """The hooks of a turn. A short one leaves the next hooks of other stores waiting only for a moment."""

    entries: list[InboxEntry]
    is_short: bool = False


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


def read_turn(redis: Redis, count: int, max_bytes: int, partition: int = 0, token: int | None = None) -> Turn:
    """Read the next hooks: either of all stores that are not isolated, or of one isolated store, in turn.

    The limits and the token are those of `stream.read`. Hooks of stores that belong to another partition are moved
    there. Raises StaleFence if another chain has held the lease.
    """
    for _ in range(MAX_SCAN_READS):
        state = _read_state(redis, partition)
        found = _read_next(redis, count, max_bytes, partition, state, token)
        entries = _keep_own(redis, found.entries, partition, state.number)
        if entries or not found.entries:
            return Turn(entries, is_short=found.is_short)
    return Turn([])


def _read_next(redis: Redis, count: int, max_bytes: int, partition: int, state: _State, token: int | None) -> Turn:
    if not state.isolated:
        entries = stream.read(redis, count, max_bytes, partition=partition, token=token)
        return Turn(_limit_largest(redis, entries, count, max_bytes, partition))
    served_key = redis_keys.in_partition(redis_keys.LAST_SERVED, partition)
    served: Any = redis.hmget(served_key, "who", "store", "looks")
    who, last_store, looks = ((value or b"").decode() for value in served)
    waiting = state.waiting
    if who != "all" or not waiting:
        entries = _read_other_stores(redis, count, max_bytes, state.isolated, partition, token)
        if entries:
            redis.hset(served_key, mapping={"who": "all", "looks": 0})
            return Turn(_limit_largest(redis, entries, count, max_bytes, partition))
    waiting = waiting or _read_state(redis, partition).waiting  # the read may have deferred some just now
    if not waiting:
        return Turn([])
    store = next((name for name in waiting if name > last_store), waiting[0])
    empty_looks = int(looks or 0) + (who != "all")
    redis.hset(served_key, mapping={"who": "one", "store": store, "looks": empty_looks})
    is_short = empty_looks < MAX_EMPTY_LOOKS
    size = min(max_bytes, SHORT_TURN_BYTES) if is_short else max_bytes
    return Turn(stream.read(redis, count, size, _STORE_CONSUMER_PREFIX + store, partition, token), is_short=is_short)


def _limit_largest(
    redis: Redis, entries: list[InboxEntry], count: int, max_bytes: int, partition: int
) -> list[InboxEntry]:
    """Of a full batch, defer most hooks of a store that has more than all others, if any other waits: and isolate it.

    So the backlog of one store is read in turn with the hooks that have come behind it.
    """
    sizes: Counter[str] = Counter()
    for entry in entries:
        sizes[entry.store] += entry.size
    total = sizes.total()
    if len(entries) < count and total < FULL_SHARE * max_bytes:
        return entries
    (largest, size), *others = sizes.most_common()
    if size * 2 <= total or not (
        _drop_heartbeats(name for name, _ in others) or _is_another_behind(redis, largest, partition)
    ):
        return entries
    kept, deferred, taken = [], [], 0
    for entry in entries:
        if entry.store == largest and taken > SHORT_TURN_BYTES:
            deferred.append(entry.entry_id)
            continue
        kept.append(entry)
        taken += entry.size if entry.store == largest else 0
    isolate_stores(redis, [largest], {largest: deferred} if deferred else {}, partition)
    return kept


def _is_another_behind(redis: Redis, store: str, partition: int) -> bool:
    found: Any = _evaluate(redis, _TAIL, partition, TAIL_ENTRIES)
    return bool(_drop_heartbeats(name.decode() for name in found) - {store})


def _drop_heartbeats(names: Iterable[str]) -> set[str]:
    """Return the stores' names; that of a heartbeat is empty."""
    return {name for name in names if name}


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
    redis: Redis, count: int, max_bytes: int, isolated: frozenset[str], partition: int, token: int | None
) -> list[InboxEntry]:
    """Read hooks of stores that are not isolated. Hooks of isolated stores in between are deferred, in Redis."""
    limits = (
        "" if token is None else token,
        redis_keys.INBOX_GROUP,
        _STORE_CONSUMER_PREFIX,
        count,
        max_bytes,
        SCAN_BYTES,
    )
    for _ in range(MAX_SCAN_READS):
        answer: Any = _evaluate(redis, _SORT, partition, *limits, *sorted(isolated))
        has_more, rows = stream.require_held(answer)
        if rows or not has_more:
            return [from_fields(entry_id.decode(), stream.pair_fields(fields)) for entry_id, fields in rows]
    return []


def _evaluate(redis: Redis, script: str, partition: int, *arguments: str | int) -> Any:
    keys = (redis_keys.in_partition(redis_keys.INBOX, partition), *stream.list_lease_keys(partition))
    try:
        return redis.eval(script, len(keys), *keys, *arguments)
    except ResponseError as error:
        if "NOGROUP" not in str(error):  # an emptied Redis has lost the group with the stream
            raise
        stream.ensure_group(redis, partition)
        return redis.eval(script, len(keys), *keys, *arguments)


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
