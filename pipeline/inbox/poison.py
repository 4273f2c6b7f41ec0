"""Counts how often a body was begun and its reader did not come back, so that a body that kills is set aside.

Keyed on the content: the same poison sent again is known at once. An innocent that shared a batch with it is read
again in a smaller portion, so three tries never condemn a neighbour. Whoever reads writes down what, and the turn
whether a link is at work (turn.py): a batch that was lost between two links was in nobody's hands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from redis import Redis

from pipeline.inbox.entry import InboxEntry
from pipeline.infra import redis_keys

MAX_TRIES = 3
_BATCH_SIZE_BY_TRIES = {0: None, 1: 10}  # tries of the worst -> how many are read together; beyond: one
_TRIES_TTL_S = 24 * 3600


def split_poison(redis: Redis, entries: Sequence[InboxEntry], token: int) -> tuple[list[InboxEntry], list[InboxEntry]]:
    """Split what was read into what is tried now and what has been tried too often. `token` is that of our turn.

    Whatever is in neither stays pending and is read again next time.
    """
    if not entries:
        return [], []
    names = [hash_content(entry.raw, entry.query) for entry in entries]
    with redis.pipeline(transaction=False) as pipe:
        pipe.hmget(redis_keys.POISON_TRIES, names)
        pipe.hmget(redis_keys.CURRENT_BATCH, "names", "at_work")
        counts, (last, at_work) = pipe.execute()
    died = set(last.decode().split()) if last and at_work == b"1" else set()
    tries = [int(count or 0) + (name in died) for name, count in zip(names, counts, strict=True)]
    size = _BATCH_SIZE_BY_TRIES.get(max(tries), 1)
    chosen = list(zip(entries, names, tries, strict=True))[:size]
    now = [(entry, name) for entry, name, count in chosen if count < MAX_TRIES]
    _record_start(redis, died, [name for _, name in now], token)
    return [entry for entry, _ in now], [entry for entry, _, count in chosen if count >= MAX_TRIES]


def reset_tries(redis: Redis, raws: Sequence[tuple[bytes, str | None]]) -> None:
    """These were read to the end, or failed without harm: their tries do not count."""
    if raws:
        redis.hdel(redis_keys.POISON_TRIES, *(hash_content(raw, query) for raw, query in raws))


def hash_content(raw: bytes, query: str | None) -> str:
    """What a body is known by."""
    return hashlib.sha1(raw + (query or "").encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _record_start(redis: Redis, died: set[str], names: Sequence[str], token: int) -> None:
    """Count the last reader's death and write down what is tried now. Whoever has the turn is alone."""
    with redis.pipeline(transaction=True) as pipe:
        for name in died:
            pipe.hincrby(redis_keys.POISON_TRIES, name, 1)
        if died:
            pipe.expire(redis_keys.POISON_TRIES, _TRIES_TTL_S)
        pipe.hset(redis_keys.CURRENT_BATCH, mapping={"token": token, "names": " ".join(names), "at_work": 1})
        pipe.execute()
