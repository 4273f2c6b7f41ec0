"""Counts the workers that were killed while they processed a body, so that a body that kills workers is quarantined.

Tries are counted by content: the same body sent again is recognised at once. A harmless body that shared a batch with
a poisonous one is read again in a smaller batch of its store, so three tries never condemn it; stores that were not in
the batch go on as before. The first link records what it reads, and the chain lease records whether a link is at work:
a batch that was lost between two links was in no worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.client import Pipeline

from pipeline.core.hooks import RawBody
from pipeline.inbox import fair_queue
from pipeline.inbox.entry import InboxEntry
from pipeline.infra import redis_keys

MAX_TRIES = 3
_BATCH_SIZE_BY_TRIES = {0: None, 1: 10}  # highest count of tries in a batch -> its size; beyond: one
_TRIES_TTL_S = 24 * 3600

_Row = tuple[InboxEntry, str, int]  # an entry, the hash of its body, and how many workers were killed with it


def split_poison(
    redis: Redis, entries: Sequence[InboxEntry], token: int, partition: int = 0
) -> tuple[list[InboxEntry], list[InboxEntry]]:
    """Split entries into those to process now and those that have been tried too often, and record the former.

    Entries in neither list stay pending and are read again next time. `token` is that of the partition's chain lease.
    """
    if not entries:
        return [], []
    hashes = [hash_content(entry.raw, entry.query) for entry in entries]
    with redis.pipeline(transaction=False) as pipe:
        pipe.hmget(redis_keys.POISON_TRIES, hashes)
        pipe.hmget(redis_keys.in_partition(redis_keys.CURRENT_BATCH, partition), "names", "at_work")
        counts, current = pipe.execute()
    killed = _get_killed(current)
    tries = [int(count or 0) + (content in killed) for content, count in zip(hashes, counts, strict=True)]
    rows = _leave_to_their_turn(redis, list(zip(entries, hashes, tries, strict=True)), partition)
    chosen = rows[: _BATCH_SIZE_BY_TRIES.get(max(count for _, _, count in rows), 1)]
    ready = [(entry, content) for entry, content, count in chosen if count < MAX_TRIES]
    _record_start(redis, killed, [content for _, content in ready], token, partition)
    return [entry for entry, _ in ready], [entry for entry, _, count in chosen if count >= MAX_TRIES]


def _leave_to_their_turn(redis: Redis, rows: list[_Row], partition: int) -> list[_Row]:
    """Isolate the stores of bodies that have been tried before, so that hooks of other stores go on in full batches.

    Returns the rows of the others, or those of one such store if there are no others.
    """
    stores = list(dict.fromkeys(entry.store for entry, _, _ in rows))
    suspects = {entry.store for entry, _, count in rows if count}
    if not suspects or len(stores) == 1:
        return rows
    kept = [store for store in stores if store not in suspects] or stores[:1]
    deferred = {
        store: [entry.entry_id for entry, _, _ in rows if entry.store == store] for store in stores if store not in kept
    }
    fair_queue.isolate_stores(redis, deferred.keys(), deferred, partition)
    return [row for row in rows if row[0].store in kept]


def reset_tries(redis: Redis, raws: Sequence[RawBody]) -> None:
    """Forget the tries of bodies that were processed, or that failed without killing their worker."""
    if raws:
        redis.hdel(redis_keys.POISON_TRIES, *hash_contents(raws))


def hash_contents(raws: Sequence[RawBody]) -> list[str]:
    """Return the hashes that the tries of these bodies are counted by."""
    return [hash_content(raw, query) for raw, query in raws]


def hash_content(raw: bytes, query: str | None) -> str:
    """Return the hash that a body's tries are counted by."""
    return hashlib.sha1(raw + (query or "").encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def count_killed(redis: Redis, partition: int) -> None:
    """Count the death of the partition's last worker, if it died of its batch, before the hooks leave the partition."""
    key = redis_keys.in_partition(redis_keys.CURRENT_BATCH, partition)
    killed = _get_killed(redis.hmget(key, "names", "at_work"))
    with redis.pipeline(transaction=True) as pipe:
        _count(pipe, killed)
        pipe.delete(key)
        pipe.execute()


def _get_killed(current_batch: Any) -> set[str]:
    """Return the hashes of the bodies in whose batch the last worker was killed: a link was still at work on it."""
    names, at_work = current_batch
    return set(names.decode().split()) if names and at_work == b"1" else set()


def _record_start(redis: Redis, killed: set[str], hashes: Sequence[str], token: int, partition: int) -> None:
    """Count the last worker's death and record what is tried now. Only the holder of the chain lease does so."""
    key = redis_keys.in_partition(redis_keys.CURRENT_BATCH, partition)
    with redis.pipeline(transaction=True) as pipe:
        _count(pipe, killed)
        pipe.hset(key, mapping={"token": token, "names": " ".join(hashes), "at_work": 1})
        pipe.execute()


def _count(pipe: Pipeline, killed: set[str]) -> None:
    for content in killed:
        pipe.hincrby(redis_keys.POISON_TRIES, content, 1)
    if killed:
        pipe.expire(redis_keys.POISON_TRIES, _TRIES_TTL_S)
