"""Reads the inbox so that one store's costly hooks hold no other store's up.

Hooks that a store has too many of for its share of a batch are left for later: they stay in the stream, pending under a
name of the store's own instead of the usual one. As long as there are any, the store's other hooks join them, so its
order holds, and it is read by itself, in turn with all others. Only whoever has the inbox's turn does any of this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from pipeline import keys
from pipeline.inbox import stream
from pipeline.inbox.raw_hook import InboxEntry

_OWN = "store:"  # begins the name under which hooks of a store are pending that were left for later
LOOKED_THROUGH = 10  # portions in which others' hooks are looked for, behind those of stores read by themselves


def leave(redis: Redis, left: Mapping[str, Sequence[str]]) -> None:
    """Leave these entries for later, by store."""
    with redis.pipeline(transaction=True) as pipe:
        for store, entry_ids in left.items():
            pipe.xclaim(keys.INBOX, keys.INBOX_GROUP, _OWN + store, 0, list(entry_ids), justid=True)
        pipe.execute()


def read(redis: Redis, count: int, max_bytes: int) -> list[InboxEntry]:
    """The hooks that are next: those of all stores but the ones that are read by themselves, or of one of these.

    They take turns. Bounds are those of `stream.read`.
    """
    alone = read_by_themselves(redis)
    if not alone:
        return stream.read(redis, count, max_bytes)
    served: Any = redis.hmget(keys.SERVED, "who", "store")
    who, store = ((one or b"").decode() for one in served)
    if who != "all" and (found := _of_the_others(redis, count, max_bytes, frozenset(alone))):
        redis.hset(keys.SERVED, "who", "all")
        return found
    store = next((one for one in alone if one > store), alone[0])
    redis.hset(keys.SERVED, mapping={"who": "one", "store": store})
    return stream.read(redis, count, max_bytes, _OWN + store)


def read_by_themselves(redis: Redis) -> list[str]:
    """The stores some of whose hooks were left for later."""
    try:
        consumers: Any = redis.xinfo_consumers(keys.INBOX, keys.INBOX_GROUP)
    except ResponseError:  # there is no stream yet, or no group
        return []
    names = [one["name"].decode() for one in consumers if one["pending"]]
    return sorted(name.removeprefix(_OWN) for name in names if name.startswith(_OWN))


def _of_the_others(redis: Redis, count: int, max_bytes: int, alone: frozenset[str]) -> list[InboxEntry]:
    """Hooks of other stores; those of these that are met on the way join the ones that were left for later."""
    for _ in range(LOOKED_THROUGH):
        found = stream.read(redis, count, max_bytes)
        joining: defaultdict[str, list[str]] = defaultdict(list)
        for entry in found:
            if entry.store in alone:
                joining[entry.store].append(entry.entry_id)
        if joining:
            leave(redis, joining)
        others = [entry for entry in found if entry.store not in alone]
        if others or not joining:
            return others
    return []
