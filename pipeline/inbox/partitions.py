"""The partitions of the inbox: a store's hooks are all in one, and each partition has a chain of its own.

Order for a person and the identity of an event belong to a store, so chains of several partitions may run at the same
time. Partition 0 has the keys of the time before there were several, the others have a suffix. The number of partitions
is in Redis, where the scripts read it with each write; `pipeline.inbox.repartition` changes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from redis import Redis

from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.infra import redis_keys

__all__ = ["MAX_PARTITIONS", "PartitionCount", "get_partition_count", "hash_store"]

NUMBER, NEXT = "number", "next"  # fields: how many partitions there are, and how many there shall be
_HASH_DIGITS = 7  # so many hexadecimal digits are a whole number in Lua, as in the scripts


@dataclass(frozen=True, slots=True)
class PartitionCount:
    """How many partitions the inbox has (None: it has never held a hook), and how many it is given now."""

    number: int | None
    next: int | None


def get_partition_count(redis: Redis) -> PartitionCount:
    """Return how many partitions there are now. Raises RedisError."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.hmget(redis_keys.PARTITIONS, NUMBER, NEXT)
        pipe.exists(redis_keys.INBOX, redis_keys.INBOX_TOKEN)  # from before there were partitions
        (number, following), is_old = pipe.execute()
    return PartitionCount(int(number) if number else (1 if is_old else None), int(following) if following else None)


@lru_cache(maxsize=10_000)
def hash_store(store: str) -> int:
    """Return the number that chooses a store's partition: the remainder after division by how many there are."""
    digest = hashlib.sha1(store.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return int(digest[:_HASH_DIGITS], 16)
