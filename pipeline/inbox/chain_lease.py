"""Whose turn it is to read the inbox: one chain at a time, so that hooks are recorded in their order.

The lease passes from link to link with the batch. Its token is a time in µs that only grows, so the ledger can tell
a later holder from an earlier one even after Redis was emptied. A turn that ran out while its next link waited for a
worker is taken up again, if nobody has had one since. Whether a link's message was lost is for the sweep to judge: a
queue is first in, first out, so when a sweep is begun that was asked for after the link, the link has left the queue.
"""

from __future__ import annotations

from typing import Any

from redis import Redis

from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua

LEASE_TTL_MS = 8_000  # how long a batch of a killed worker rests before it is read again
PARKED_TTL_MS = 120_000  # how long it waits for its next link, while slow lanes have every worker
MAX_SWEEP_AGE_MS = 6_000  # a sweep is never older: the link of a turn that was handed on before that has left its queue
TAKEOVER_INTERVAL_S = 10  # but it may lie in a worker that has no time, and must not be overtaken again and again

_ACQUIRE = read_lua(__package__, "chain_lease_acquire")
_RENEW = read_lua(__package__, "chain_lease_renew")
_IS_FREE = read_lua(__package__, "chain_lease_is_free")
_RELEASE = read_lua(__package__, "chain_lease_release")


def acquire_chain_lease(redis: Redis, ttl_ms: int = LEASE_TTL_MS) -> int | None:
    """A fencing token, or None while somebody else has the turn. The kick is over in either case."""
    return int(_eval(redis, _ACQUIRE, ttl_ms)) or None


def is_chain_lease_free(redis: Redis) -> bool:
    """Whether nobody has the turn, for a sweep to ask. A turn whose next link was lost is taken away first.

    If that link comes after all, before anybody has taken the turn, it goes on.
    """
    return bool(_eval(redis, _IS_FREE, LEASE_TTL_MS, PARKED_TTL_MS - MAX_SWEEP_AGE_MS, TAKEOVER_INTERVAL_S))


def renew_chain_lease(redis: Redis, token: int, ttl_ms: int = LEASE_TTL_MS) -> bool:
    """Whether the turn is still ours, or nobody's since; if so, for the whole time again, and a link is at work."""
    return bool(_eval(redis, _RENEW, ttl_ms, token, 1))


def park_chain_lease(redis: Redis, token: int) -> None:
    """The link is done with the batch and has come back; the next one may have to wait for a worker."""
    _eval(redis, _RENEW, PARKED_TTL_MS, token, 0)


def release_chain_lease(redis: Redis, token: int) -> None:
    """Give the turn back, if it is still ours: who had it has come back. Otherwise it ends by itself."""
    _eval(redis, _RELEASE, token)


def _eval(redis: Redis, script: str, *arguments: int) -> Any:
    names = (
        redis_keys.INBOX_LEASE,
        redis_keys.INBOX_TOKEN,
        redis_keys.INBOX_TAKEOVER,
        redis_keys.WAKEUP,
        redis_keys.CURRENT_BATCH,
    )
    return redis.eval(script, len(names), *names, *arguments)
