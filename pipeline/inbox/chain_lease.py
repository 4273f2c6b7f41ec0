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

LEASE_TTL_MS = 8_000  # how long a batch of a killed worker rests before it is read again
PARKED_TTL_MS = 120_000  # how long it waits for its next link, while slow lanes have every worker
MAX_SWEEP_AGE_MS = 6_000  # a sweep is never older: the link of a turn that was handed on before that has left its queue
TAKEOVER_INTERVAL_S = 10  # but it may lie in a worker that has no time, and must not be overtaken again and again

# Whoever asks for the turn was woken: from here on a hook wakes somebody again.
_ACQUIRE = """
redis.call('DEL', KEYS[4])
local clock = redis.call('TIME')
local token = clock[1] * 1000000 + clock[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if token <= last then token = last + 1 end
token = string.format('%.0f', token)
if not redis.call('SET', KEYS[1], token, 'NX', 'PX', ARGV[1]) then return '0' end
redis.call('SET', KEYS[2], token)
return token
"""
_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder ~= ARGV[2] and (holder or redis.call('GET', KEYS[2]) ~= ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
if redis.call('HGET', KEYS[5], 'token') == ARGV[2] then redis.call('HSET', KEYS[5], 'at_work', ARGV[3]) end
return 1
"""
# A turn with more time left than a link at work has was handed on.
_IS_FREE = """
local left = redis.call('PTTL', KEYS[1])
local missed = left > tonumber(ARGV[1]) and left <= tonumber(ARGV[2])
if missed and redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[3]) then redis.call('DEL', KEYS[1]) end
return 1 - redis.call('EXISTS', KEYS[1])
"""
# The token counts on, so that a turn that was given back cannot be kept.
_RELEASE = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('INCR', KEYS[2]) end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if redis.call('HGET', KEYS[5], 'token') == ARGV[1] then redis.call('DEL', KEYS[5]) end
"""


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
