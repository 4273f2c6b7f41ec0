"""Limits per minute: for each token, and for networks that send wrong tokens. Each web process counts by itself.

The window of the library `limits`, in memory: with its storage in Redis the API could not be read while Redis is away.
"""

from __future__ import annotations

import time
from math import ceil

from flask import Response, current_app, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from receiver.api.problems import Problem
from receiver.networks import find_network

MAX_REQUESTS_PER_MINUTE = 300  # of a token
MAX_TRIES_PER_MINUTE = 6  # of the saved keys of a store
MAX_WRONG_TOKENS_PER_MINUTE = 60  # of a network
LIMITS_EXTENSION = "cratewire.limits"


class RequestLimits:
    """Counts requests. `per_minute`: of a token."""

    def __init__(self, per_minute: int = MAX_REQUESTS_PER_MINUTE) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._of_token = RateLimitItemPerMinute(per_minute)
        self._of_store = RateLimitItemPerMinute(MAX_TRIES_PER_MINUTE)
        self._of_network = RateLimitItemPerMinute(MAX_WRONG_TOKENS_PER_MINUTE)

    def count(self, token_id: int) -> None:
        """Count a request of a token. Raises Problem with 429 over the limit."""
        item, key = self._of_token, str(token_id)
        is_allowed = self._limiter.hit(item, "token", key)
        window = self._limiter.get_window_stats(item, "token", key)
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
        if self._limiter.hit(self._of_store, "tries", str(store_id)):
            return
        window = self._limiter.get_window_stats(self._of_store, "tries", str(store_id))
        wait = {"Retry-After": str(_seconds_until(window.reset_time))}
        raise Problem(429, f"This was tried {self._of_store.amount} times within a minute.", wait)

    def count_wrong_token(self) -> None:
        """Count a wrong token of this request's network, if that is known. Raises Problem with 429 over the limit."""
        network = find_network(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))
        if network is None or self._limiter.hit(self._of_network, "network", network):
            return
        window = self._limiter.get_window_stats(self._of_network, "network", network)
        wait = {"Retry-After": str(_seconds_until(window.reset_time))}
        raise Problem(429, "Too many wrong tokens were sent from your network.", wait)


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
