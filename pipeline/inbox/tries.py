"""Counts how often a body was begun and its reader did not come back, so that a body that kills is set aside.

Keyed on the content: the same poison sent again is known at once. An innocent that shared a batch with it is read
again in a smaller portion, so three tries never condemn a neighbour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis

from pipeline import keys
from pipeline.inbox.raw_hook import InboxEntry

MOST = 3
_PORTIONS = {0: None, 1: 10}  # tries of the worst -> how many are read together; beyond: one
_DAY = 24 * 3600


def portion(redis: Redis, entries: Sequence[InboxEntry]) -> tuple[list[InboxEntry], list[InboxEntry]]:
    """Split what was read into what is tried now, its try counted, and what has been tried too often.

    Whatever is in neither stays pending and is read again next time.
    """
    if not entries:
        return [], []
    names = [content_key(entry.raw, entry.query) for entry in entries]
    counts: Any = redis.hmget(keys.TRIES, names)
    tries = [int(count or 0) for count in counts]
    size = _PORTIONS.get(max(tries), 1)
    chosen = list(zip(entries, names, tries, strict=True))[:size]
    now = [one for one in chosen if one[2] < MOST]
    _count(redis, {name: count + 1 for _, name, count in now})
    return [entry for entry, _, _ in now], [entry for entry, _, count in chosen if count >= MOST]


def forget(redis: Redis, raws: Sequence[tuple[bytes, str | None]]) -> None:
    """These were read to the end, or failed without harm: their tries do not count."""
    if raws:
        redis.hdel(keys.TRIES, *(content_key(raw, query) for raw, query in raws))


def content_key(raw: bytes, query: str | None) -> str:
    """What a body is known by."""
    return hashlib.sha1(raw + (query or "").encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _count(redis: Redis, tries: Mapping[str, int]) -> None:
    """Whoever has the turn is alone, so what was read a moment ago still holds."""
    if not tries:
        return
    with redis.pipeline(transaction=False) as pipe:
        mapping: dict[Any, Any] = dict(tries)  # redis wants the very union it declares
        pipe.hset(keys.TRIES, mapping=mapping)
        pipe.expire(keys.TRIES, _DAY)
        pipe.execute()
