"""Counts how often a body was begun and its reader did not come back, so that a body that kills is set aside.

Keyed on the content: the same poison sent again is known at once. An innocent that shared a batch with it is read
again in a smaller portion, so three tries never condemn a neighbour. Whoever reads writes down what, and the turn
whether a link is at work (turn.py): a batch that was lost between two links was in nobody's hands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from redis import Redis

from pipeline import keys
from pipeline.inbox.raw_hook import InboxEntry

MOST = 3
_PORTIONS = {0: None, 1: 10}  # tries of the worst -> how many are read together; beyond: one
_DAY = 24 * 3600


def portion(redis: Redis, entries: Sequence[InboxEntry], token: int) -> tuple[list[InboxEntry], list[InboxEntry]]:
    """Split what was read into what is tried now and what has been tried too often. `token` is that of our turn.

    Whatever is in neither stays pending and is read again next time.
    """
    if not entries:
        return [], []
    names = [content_key(entry.raw, entry.query) for entry in entries]
    with redis.pipeline(transaction=False) as pipe:
        pipe.hmget(keys.TRIES, names)
        pipe.hmget(keys.TRIED, "names", "at_work")
        counts, (last, at_work) = pipe.execute()
    died = set(last.decode().split()) if last and at_work == b"1" else set()
    tries = [int(count or 0) + (name in died) for name, count in zip(names, counts, strict=True)]
    size = _PORTIONS.get(max(tries), 1)
    chosen = list(zip(entries, names, tries, strict=True))[:size]
    now = [(entry, name) for entry, name, count in chosen if count < MOST]
    _begin(redis, died, [name for _, name in now], token)
    return [entry for entry, _ in now], [entry for entry, _, count in chosen if count >= MOST]


def forget(redis: Redis, raws: Sequence[tuple[bytes, str | None]]) -> None:
    """These were read to the end, or failed without harm: their tries do not count."""
    if raws:
        redis.hdel(keys.TRIES, *(content_key(raw, query) for raw, query in raws))


def content_key(raw: bytes, query: str | None) -> str:
    """What a body is known by."""
    return hashlib.sha1(raw + (query or "").encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _begin(redis: Redis, died: set[str], names: Sequence[str], token: int) -> None:
    """Count the last reader's death and write down what is tried now. Whoever has the turn is alone."""
    with redis.pipeline(transaction=True) as pipe:
        for name in died:
            pipe.hincrby(keys.TRIES, name, 1)
        if died:
            pipe.expire(keys.TRIES, _DAY)
        pipe.hset(keys.TRIED, mapping={"token": token, "names": " ".join(names), "at_work": 1})
        pipe.execute()
