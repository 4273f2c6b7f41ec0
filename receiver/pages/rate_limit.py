"""Limits per minute for each network, or each network and target, so that no visitor uses up the limit of others.

Flask-Limiter does not replace this. Its storage in memory grows with every key, while here the number of keys is
limited; its clock cannot be passed in; with its storage in Redis no form could be sent while Redis is down. The checks
of keys are also limited per Client ID, which is not known before the form has been validated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

from flask import Flask, abort, request

from receiver.networks import find_network
from receiver.pages.auth.keys import fingerprint_of_key
from receiver.pages.db_session import get_context

MAX_FORMS_PER_MINUTE = 30  # per network: more than a person sends, too few for guessing passwords
MAX_TRACKED_KEYS = 10_000  # above this, the key that was used longest ago is dropped
_MINUTE_US = 60_000_000


class RateLimiter:
    """Counts events per key in the last minute, in this process."""

    def __init__(self, limit: int, now: Callable[[], int]) -> None:
        self._limit = limit
        self._now = now
        self._times_by_key: dict[Hashable, deque[int]] = {}
        self._lock = Lock()

    def allows(self, key: Hashable) -> bool:
        """Count an event. Returns False, without counting it, if the limit is reached."""
        with self._lock:
            times = self._times_by_key.pop(key, deque())
            self._times_by_key[key] = times  # the newest are last
            if len(self._times_by_key) > MAX_TRACKED_KEYS:
                self._times_by_key.pop(next(iter(self._times_by_key)))
            now = self._now()
            while times and times[0] <= now - _MINUTE_US:
                times.popleft()
            if len(times) >= self._limit:
                return False
            times.append(now)
            return True


def get_client_network() -> str | None:
    """Return the network of this request; None if it is unknown."""
    return find_network(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def get_network_tag() -> str:
    """Return a keyed hash of the network of this request; "" if it is unknown."""
    network = get_client_network()
    return fingerprint_of_key(f"{get_context().settings.secret_keys[0]} {network}") if network else ""


def add_form_rate_limit(app: Flask, now: Callable[[], int]) -> None:
    """Reject forms of a network over the limit with 429, before anything else is done."""
    limiter = RateLimiter(MAX_FORMS_PER_MINUTE, now)

    @app.before_request
    def count() -> None:
        if request.method == "POST":
            network = get_client_network()
            if network is not None and not limiter.allows(network):
                abort(429)
