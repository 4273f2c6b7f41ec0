"""Whose turn it is to read the inbox: one chain at a time, so that hooks are recorded in their order.

The lease passes from link to link with the batch. Its token is a time in µs that only grows, so the ledger can tell
a later holder from an earlier one even after Redis was emptied.
"""

from __future__ import annotations

from typing import Any

from redis import Redis

from pipeline import keys
from pipeline.lanes.lease import Lease

TURN_MS = 15_000  # how long a batch of a killed worker rests before it is read again

_TAKE = """
local clock = redis.call('TIME')
local token = clock[1] * 1000000 + clock[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if token <= last then token = last + 1 end
token = string.format('%.0f', token)
if not redis.call('SET', KEYS[1], token, 'NX', 'PX', ARGV[1]) then return '0' end
redis.call('SET', KEYS[2], token)
return token
"""


def take_turn(redis: Redis, ttl_ms: int = TURN_MS) -> int | None:
    """A fencing token, or None while somebody else has the turn."""
    answer: Any = redis.eval(_TAKE, 2, keys.INBOX_LEASE, keys.INBOX_TOKEN, str(ttl_ms))
    return int(answer) or None


def keep_turn(redis: Redis, token: int, ttl_ms: int = TURN_MS) -> bool:
    """Whether the turn is still ours; if so, for the whole time again."""
    return _lease(redis, token, ttl_ms).renew()


def end_turn(redis: Redis, token: int) -> None:
    """Give the turn back, if it is still ours."""
    _lease(redis, token, TURN_MS).release()


def _lease(redis: Redis, token: int, ttl_ms: int) -> Lease:
    return Lease(redis, keys.INBOX_LEASE, str(token), ttl_ms)
