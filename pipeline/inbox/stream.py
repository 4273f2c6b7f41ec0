"""The inbox: Redis streams, one for each partition, in which a hook stays until the ledger holds it.

Every holder of the chain lease reads as the same consumer. Entries that an earlier holder has read and not finished are
still pending under its name, so they are read again first, in the stream's order. Deferred hooks are pending under
another name (`pipeline.inbox.fair_queue`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from pipeline.core.errors import StaleFence
from pipeline.core.hooks import RawBody
from pipeline.inbox.entry import InboxEntry, RawHook, from_fields, get_query, get_received_at, to_fields
from pipeline.inbox.partitions import MAX_PARTITIONS, hash_store
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

__all__ = [
    "InboxEntry",
    "RawHook",
    "add",
    "add_all",
    "depth",
    "ensure_group",
    "get_depths",
    "get_oldest_received_at",
    "get_raw_bodies",
    "has_room",
    "is_empty",
    "peek_both_ends",
    "read",
    "remove",
]

NEW = ">"  # XREADGROUP's id for entries that no consumer was given yet
INITIAL_READ_COUNT = 16  # entries read at once while their size is unknown
WAKEUP_TTL_S = 5  # after this a lost wake-up is repeated
ADD = read_lua(__package__, "stream_add")
DEPTHS = read_lua(__package__, "stream_depths")
READ = read_lua(__package__, "stream_read")
MAX_MEMORY_SHARE = 0.8  # of maxmemory; the rest is for leases and Celery's messages, without which no hook would leave


def add(redis: Redis, hook: RawHook) -> None:
    """Append a hook. The caller has to wake the chain, or the sweep does."""
    _add(redis, [hook], 0, 1)


def add_all(redis: Redis, hooks: Iterable[RawHook], partitions: int = 1) -> list[int]:
    """Append all hooks or none, each to its store's partition.

    `partitions`: how many a new inbox begins with. Returns the partitions whose chain must be woken: it is idle and no
    wake-up is under way.
    """
    return _add(redis, hooks, WAKEUP_TTL_S, partitions)


def _add(redis: Redis, hooks: Iterable[RawHook], wakeup_ttl_s: int, partitions: int) -> list[int]:
    arguments: list[bytes] = []
    for hook in hooks:
        fields = to_fields(hook)
        arguments += (b"%d" % hash_store(hook.store), b"%d" % len(fields), *fields)
    keys = (
        redis_keys.INBOX,
        redis_keys.WAKEUP,
        redis_keys.INBOX_LEASE,
        redis_keys.PARTITIONS,
        redis_keys.INBOX_TOKEN,
    )
    woken: Any = redis.eval(ADD, len(keys), *keys, wakeup_ttl_s, partitions, MAX_PARTITIONS, *arguments)
    return list(woken)


def has_room(redis: Redis) -> bool:
    """Return whether Redis has memory for more hooks. Raises RedisError if it is unavailable."""
    try:
        memory: Any = redis.info("memory")
    except ResponseError:  # a managed Redis may forbid INFO; then only its out-of-memory error shows
        return bool(redis.ping())
    limit = int(memory.get("maxmemory", 0))
    return not limit or int(memory["used_memory"]) < limit * MAX_MEMORY_SHARE


def ensure_group(redis: Redis, partition: int = 0) -> None:
    """Create the stream and the consumer group if they are missing. The group starts at the first entry."""
    key = redis_keys.in_partition(redis_keys.INBOX, partition)
    try:
        redis.xgroup_create(key, redis_keys.INBOX_GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def read(
    redis: Redis,
    count: int,
    max_bytes: int,
    consumer: str = redis_keys.INBOX_GROUP,
    partition: int = 0,
    token: int | None = None,
) -> list[InboxEntry]:
    """Read up to `count` entries and about `max_bytes`, but at least one: first pending entries, then new ones.

    Consumers other than the usual one have pending entries only. `token`: of the chain lease under which is read; with
    None the caller ensures that no other process reads meanwhile. Raises StaleFence if another chain has held it.
    """
    try:
        return _read(redis, count, max_bytes, consumer, partition, token)
    except ResponseError as error:
        if "NOGROUP" not in str(error):  # an emptied Redis has lost the group with the stream
            raise
        ensure_group(redis, partition)
        return _read(redis, count, max_bytes, consumer, partition, token)


def list_lease_keys(partition: int) -> list[str]:
    """Return the keys by which a script sees who holds the chain lease: the lease, and the last token."""
    return [redis_keys.in_partition(name, partition) for name in (redis_keys.INBOX_LEASE, redis_keys.INBOX_TOKEN)]


def get_raw_bodies(redis: Redis, entry_ids: Sequence[str], partition: int = 0) -> dict[str, RawBody]:
    """Return, by entry id, the raw bodies and query strings of those entries that are still in the inbox."""
    if not entry_ids:
        return {}
    key = redis_keys.in_partition(redis_keys.INBOX, partition)
    with redis.pipeline(transaction=False) as pipe:
        for entry_id in entry_ids:  # one by one: megabytes of deferred hooks may lie between them
            pipe.xrange(key, entry_id, entry_id)
        ranges: Any = pipe.execute()
    fields_by_id = {entry_id: entries[0][1] for entry_id, entries in zip(entry_ids, ranges, strict=True) if entries}
    return {entry_id: (fields.get(b"b", b""), get_query(fields)) for entry_id, fields in fields_by_id.items()}


def remove(redis: Redis, entry_ids: Sequence[str], partition: int = 0) -> None:
    """Delete entries that the ledger holds, on a client or in a pipeline."""
    if entry_ids:
        key = redis_keys.in_partition(redis_keys.INBOX, partition)
        redis.xack(key, redis_keys.INBOX_GROUP, *entry_ids)
        redis.xdel(key, *entry_ids)


def get_depths(redis: Redis) -> dict[int, int]:
    """Return how many hooks wait in each partition that holds any."""
    found: Any = redis.eval(DEPTHS, 1, redis_keys.INBOX, MAX_PARTITIONS)
    return dict(zip(found[::2], found[1::2], strict=True))


def depth(redis: Redis) -> int:
    """Return how many hooks wait in all partitions."""
    return sum(get_depths(redis).values())


def is_empty(redis: Redis, partition: int) -> bool:
    """Return whether no hook waits in this partition."""
    return not redis.xlen(redis_keys.in_partition(redis_keys.INBOX, partition))


def get_oldest_received_at(redis: Redis) -> int | None:
    """Return when the hook that has waited longest was received, in µs: the earliest at the front of a partition."""
    with redis.pipeline(transaction=False) as pipe:
        for partition in get_depths(redis):
            pipe.xrange(redis_keys.in_partition(redis_keys.INBOX, partition), count=1)
        fronts: Any = pipe.execute()
    return min((get_received_at(front[0][1]) for front in fronts if front), default=None)


def peek_both_ends(redis: Redis, count: int) -> list[InboxEntry]:
    """Return about `count` entries from either end of the partitions, without giving them to a consumer."""
    partitions = get_depths(redis)
    share = max(1, count // max(1, len(partitions)))
    found: list[InboxEntry] = []
    for partition in partitions:
        key = redis_keys.in_partition(redis_keys.INBOX, partition)
        first: Any = redis.xrange(key, count=share)
        last: Any = redis.xrevrange(key, count=share)
        entries = dict([*first, *reversed(last)])
        found += (from_fields(entry_id.decode(), fields) for entry_id, fields in entries.items())
    return found


def _read(
    redis: Redis, count: int, max_bytes: int, consumer: str, partition: int, token: int | None
) -> list[InboxEntry]:
    taken: list[InboxEntry] = []
    size, largest, after = 0, 0, "0"
    while len(taken) < count:
        step = min(count - len(taken), max(1, (max_bytes - size) // largest) if largest else INITIAL_READ_COUNT)
        ids, entries = _fetch(redis, after, step, consumer, partition, token)
        for entry in entries:
            size += len(entry.raw)
            if taken and size > max_bytes:
                return taken  # entries read beyond the limit stay pending and are read first next time
            taken.append(entry)
            largest = max(largest, len(entry.raw))
        if len(ids) == step:
            after = after if after == NEW else ids[-1]
        elif after == NEW or consumer != redis_keys.INBOX_GROUP:
            break
        else:
            after = NEW
    return taken


def _fetch(
    redis: Redis, after: str, count: int, consumer: str, partition: int, token: int | None
) -> tuple[list[str], list[InboxEntry]]:
    """Fetch the consumer's pending entries after an id, or new ones. Returns all ids, and the entries that exist."""
    key = redis_keys.in_partition(redis_keys.INBOX, partition)
    if token is None:
        answer: Any = redis.xreadgroup(redis_keys.INBOX_GROUP, consumer, {key: after}, count=count)
        rows = [(entry_id.decode(), fields) for entry_id, fields in _parse_entries(answer)]
    else:
        keys = (key, *list_lease_keys(partition))
        answer = redis.eval(READ, len(keys), *keys, token, redis_keys.INBOX_GROUP, consumer, count, after)
        rows = [(entry_id.decode(), pair_fields(fields)) for entry_id, fields in require_held(answer)]
    deleted = [entry_id for entry_id, fields in rows if not fields]  # deleted while they were pending
    if deleted:
        redis.xack(key, redis_keys.INBOX_GROUP, *deleted)
    return [entry_id for entry_id, _ in rows], [from_fields(entry_id, fields) for entry_id, fields in rows if fields]


def require_held(answer: Any) -> Any:
    """Return the answer of a script that reads under the chain lease. Raises StaleFence if it is not held."""
    if answer is None or answer is False:
        raise StaleFence("another chain has acquired the chain lease")
    return answer


def pair_fields(fields: Sequence[bytes] | None) -> dict[bytes, bytes]:
    """Return an entry's fields from the flat list that a script has of them; none of a deleted entry."""
    return dict(zip(fields[::2], fields[1::2], strict=True)) if fields else {}


def _parse_entries(answer: Any) -> list[Any]:
    """Return the entries of an answer of RESP2, [[stream, [entry, …]]], or RESP3, {stream: [[entry, …]]}."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (chunks,) = answer.values()
        return [entry for chunk in chunks for entry in chunk]
    return list(answer[0][1])
