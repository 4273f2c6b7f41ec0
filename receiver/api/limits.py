"""Limits per minute: for each token, and for networks that send wrong tokens.

The window of the library `limits`, in Redis, where all web processes count together. While Redis is away each counts by
itself, so that the API can be read.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from math import ceil

from flask import Response, current_app, g, request
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis, RedisError

from pipeline.infra.redis_keys import API_LIMITS
from receiver.api.problems import Problem
from receiver.networks import find_network

MAX_REQUESTS_PER_MINUTE = 300  # of a token
MAX_TRIES_PER_MINUTE = 6  # of the saved keys of a store
MAX_WRONG_TOKENS_PER_MINUTE = 60  # of a network
_HASH_KEY_BYTES = 64  # that blake2b takes
LIMITS_EXTENSION = "cratewire.limits"


class RequestLimits:
    """Counts requests. `per_minute`: of a token. `redis`: None if no other process counts.

    `secret`: with it networks are hashed, so that no address is in Redis.
    """

    def __init__(self, per_minute: int = MAX_REQUESTS_PER_MINUTE, redis: Redis | None = None, secret: str = "") -> None:
        self._limiters = [MovingWindowRateLimiter(MemoryStorage())]
        if redis is not None:
            shared = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=API_LIMITS)
            self._limiters.insert(0, MovingWindowRateLimiter(shared))
        self._hash_key = secret.encode()[:_HASH_KEY_BYTES]
        self._of_token = RateLimitItemPerMinute(per_minute)
        self._of_store = RateLimitItemPerMinute(MAX_TRIES_PER_MINUTE)
        self._of_network = RateLimitItemPerMinute(MAX_WRONG_TOKENS_PER_MINUTE)

    def count(self, token_id: int) -> None:
        """Count a request of a token. Raises Problem with 429 over the limit."""
        item, key = self._of_token, str(token_id)
        is_allowed, window = self._hit(item, "token", key)
        g.rate_limit = {
            "RateLimit-Limit": str(item.amount),
            "RateLimit-Remaining": str(window.remaining),
            "RateLimit-Reset": str(_seconds_until(window.reset_time)),
        }
        if not is_allowed:
            wait = {"Retry-After": g.rate_limit["RateLimit-Reset"]}
            raise Problem(429, f"The token has made {item.amount} requests within a minute.", wait)

    def count_try(self, store_id: int) -> None:
        """Count a try of saved keys of a store. Raises Problem with 429 over the limit: platforms count them too."""
        is_allowed, window = self._hit(self._of_store, "tries", str(store_id))
        if is_allowed:
            return
        wait = {"Retry-After": str(_seconds_until(window.reset_time))}
        raise Problem(429, f"This was tried {self._of_store.amount} times within a minute.", wait)

    def count_wrong_token(self) -> None:
        """Count a wrong token of this request's network, if that is known. Raises Problem with 429 over the limit."""
        network = find_network(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))
        if network is None:
            return
        is_allowed, window = self._hit(
            self._of_network, "network", blake2b(network.encode(), key=self._hash_key).hexdigest()
        )
        if is_allowed:
            return
        wait = {"Retry-After": str(_seconds_until(window.reset_time))}
        raise Problem(429, "Too many wrong tokens were sent from your network.", wait)

    def _hit(self, item: RateLimitItem, *key: str) -> tuple[bool, WindowStats]:
        """Whether there was room, and what is left: in Redis, or in this process if Redis does not answer."""
        shared, own = self._limiters[0], self._limiters[-1]
        try:
            return shared.hit(item, *key), shared.get_window_stats(item, *key)
        except RedisError:
            return own.hit(item, *key), own.get_window_stats(item, *key)


def count_try(store_id: int) -> None:
    """Count a try, as `RequestLimits.count_try` does."""
    limits: RequestLimits = current_app.extensions[LIMITS_EXTENSION]
    limits.count_try(store_id)


def add_limit_headers(response: Response) -> Response:
    """Add what is left of the token's limit."""
    response.headers.update(g.get("rate_limit", {}))
    return response


def _seconds_until(at: float) -> int:
    return max(1, ceil(at - time.time()))
