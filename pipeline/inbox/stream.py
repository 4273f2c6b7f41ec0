"""The inbox: a Redis stream in which a hook stays until the ledger holds it.

Whoever holds the inbox's lease reads as one consumer. What a holder before it had read and not finished is still
pending under the same name, so it is read again first, in the stream's order. Hooks that were left for later are
pending under another name (fair.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from pipeline.inbox.entry import InboxEntry, RawHook, from_fields, get_query, get_received_at, to_fields
from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

__all__ = [
    "InboxEntry",
    "RawHook",
    "add",
    "add_all",
    "depth",
    "ensure_group",
    "get_oldest_received_at",
    "get_raw_bodies",
    "has_room",
    "peek_both_ends",
    "read",
    "remove",
]

NEW = ">"  # entries nobody was given yet
INITIAL_READ_COUNT = 16  # entries read at once while nothing is known of their size
WAKEUP_TTL_S = 5  # after this a kick that got lost is given again
ADD = read_lua(__package__, "stream_add")
MAX_MEMORY_SHARE = (
    0.8  # of maxmemory; the rest is for leases and Celery's messages, without which nothing would ever leave
)


def add(pipe_or_redis: Any, hook: RawHook) -> None:
    """Append one hook, on a client or in a pipeline. Whoever adds so kicks the chain too."""
    pipe_or_redis.execute_command("XADD", redis_keys.INBOX, "*", *to_fields(hook))


def add_all(redis: Redis, hooks: Iterable[RawHook]) -> bool:
    """Append all hooks or none. True if the chain must be kicked: it rests, and no kick is under way."""
    arguments: list[bytes] = []
    for hook in hooks:
        fields = to_fields(hook)
        arguments += (b"%d" % len(fields), *fields)
    return bool(
        redis.eval(ADD, 3, redis_keys.INBOX, redis_keys.WAKEUP, redis_keys.INBOX_LEASE, WAKEUP_TTL_S, *arguments)
    )


def has_room(redis: Redis) -> bool:
    """Whether more hooks may go in. Raises RedisError if Redis is not to be had at all."""
    try:
        memory: Any = redis.info("memory")
    except ResponseError:  # a managed Redis may forbid INFO; then only its out-of-memory error tells
        return bool(redis.ping())
    limit = int(memory.get("maxmemory", 0))
    return not limit or int(memory["used_memory"]) < limit * MAX_MEMORY_SHARE


def ensure_group(redis: Redis) -> None:
    """Create stream and group if they are missing; the group begins at the stream's start."""
    try:
        redis.xgroup_create(redis_keys.INBOX, redis_keys.INBOX_GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def read(redis: Redis, count: int, max_bytes: int, consumer: str = redis_keys.INBOX_GROUP) -> list[InboxEntry]:
    """Up to `count` entries and about `max_bytes`, but at least one: unfinished ones first, then new ones.

    Another consumer than the usual one has only unfinished ones.
    """
    try:
        return _read(redis, count, max_bytes, consumer)
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):  # an emptied Redis has lost the group with the stream
            raise
        ensure_group(redis)
        return _read(redis, count, max_bytes, consumer)


def get_raw_bodies(redis: Redis, entry_ids: Sequence[str]) -> dict[str, tuple[bytes, str | None]]:
    """The raw bytes and the query of entries of one batch that are still in the inbox."""
    if not entry_ids:
        return {}
    with redis.pipeline(transaction=False) as pipe:
        for entry_id in entry_ids:  # one by one: megabytes that were left for later may lie between them
            pipe.xrange(redis_keys.INBOX, entry_id, entry_id)
        found: Any = pipe.execute()
    fields_of = {entry_id: entries[0][1] for entry_id, entries in zip(entry_ids, found, strict=True) if entries}
    return {entry_id: (fields.get(b"b", b""), get_query(fields)) for entry_id, fields in fields_of.items()}


def remove(redis: Redis, entry_ids: Sequence[str]) -> None:
    """Take entries out for good: the ledger holds them. On a client or in a pipeline."""
    if entry_ids:
        redis.xack(redis_keys.INBOX, redis_keys.INBOX_GROUP, *entry_ids)
        redis.xdel(redis_keys.INBOX, *entry_ids)


def depth(redis: Redis) -> int:
    """How many hooks wait."""
    length: Any = redis.xlen(redis_keys.INBOX)
    return int(length)


def get_oldest_received_at(redis: Redis) -> int | None:
    """When the hook at the front was received, in µs."""
    first: Any = redis.xrange(redis_keys.INBOX, count=1)
    return get_received_at(first[0][1]) if first else None


def peek_both_ends(redis: Redis, count: int) -> list[InboxEntry]:
    """The first and the last of what waits, up to `count` of each, as they are: nobody is given them."""
    first: Any = redis.xrange(redis_keys.INBOX, count=count)
    last: Any = redis.xrevrange(redis_keys.INBOX, count=count)
    found = dict([*first, *reversed(last)])
    return [from_fields(entry_id.decode(), fields) for entry_id, fields in found.items()]


def _read(redis: Redis, count: int, max_bytes: int, consumer: str) -> list[InboxEntry]:
    taken: list[InboxEntry] = []
    size, largest, after = 0, 0, "0"
    while len(taken) < count:
        step = min(count - len(taken), max(1, (max_bytes - size) // largest) if largest else INITIAL_READ_COUNT)
        ids, found = _fetch(redis, after, step, consumer)
        for entry in found:
            size += len(entry.raw)
            if taken and size > max_bytes:
                return taken  # what was read beyond the limit stays pending and comes first next time
            taken.append(entry)
            largest = max(largest, len(entry.raw))
        if len(ids) == step:
            after = after if after == NEW else ids[-1]
        elif after == NEW or consumer != redis_keys.INBOX_GROUP:
            break
        else:
            after = NEW
    return taken


def _fetch(redis: Redis, after: str, count: int, consumer: str) -> tuple[list[str], list[InboxEntry]]:
    """The next ids after one this consumer was given before, or new ones; and those of them that still exist."""
    answer: Any = redis.xreadgroup(redis_keys.INBOX_GROUP, consumer, {redis_keys.INBOX: after}, count=count)
    met = [(entry_id.decode(), fields) for entry_id, fields in _parse_entries(answer)]
    gone = [entry_id for entry_id, fields in met if not fields]  # deleted while it was pending
    if gone:
        redis.xack(redis_keys.INBOX, redis_keys.INBOX_GROUP, *gone)
    return [entry_id for entry_id, _ in met], [from_fields(entry_id, fields) for entry_id, fields in met if fields]


def _parse_entries(answer: Any) -> list[Any]:
    """The shape differs with the client's protocol: [[stream, [entry, …]]] or {stream: [[entry, …]]}."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (chunks,) = answer.values()
        return [entry for chunk in chunks for entry in chunk]
    return list(answer[0][1])
