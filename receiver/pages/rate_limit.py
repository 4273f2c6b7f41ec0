"""Limits of a minute, each for one network or one network's target, so that no visitor uses up those of others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

from flask import Flask, abort, request

from receiver.networks import find_network
from receiver.pages.auth.keys import fingerprint_of_key
from receiver.pages.db_session import get_context

MAX_FORMS_PER_MINUTE = 30  # of one network: more than a person sends, fewer than a guesser needs
MAX_TRACKED_KEYS = 10_000  # then the one that was counted longest ago is forgotten
_MINUTE_US = 60_000_000


class RateLimiter:
    """Counts what each of many did in the last minute, in this process."""

    def __init__(self, limit: int, now: Callable[[], int]) -> None:
        self._most = limit
        self._now = now
        self._counted: dict[Hashable, deque[int]] = {}
        self._lock = Lock()

    def allows(self, key: Hashable) -> bool:
        """Count one more; False if it is one too many."""
        with self._lock:
            counted = self._counted.pop(key, deque())
            self._counted[key] = counted  # the newest are last
            if len(self._counted) > MAX_TRACKED_KEYS:
                self._counted.pop(next(iter(self._counted)))
            now = self._now()
            while counted and counted[0] <= now - _MINUTE_US:
                counted.popleft()
            if len(counted) >= self._most:
                return False
            counted.append(now)
            return True


def get_client_network() -> str | None:
    """Where this request comes from."""
    return find_network(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def get_network_tag() -> str:
    """The same for the same network, and no way back to it; "" if it is unknown."""
    network = get_client_network()
    return fingerprint_of_key(f"{get_context().settings.secret_keys[0]} {network}") if network else ""


def add_form_rate_limit(app: Flask, now: Callable[[], int]) -> None:
    """Before anything else is done about a form."""
    crowd = RateLimiter(MAX_FORMS_PER_MINUTE, now)

    @app.before_request
    def count() -> None:
        if request.method == "POST":
            network = get_client_network()
            if network is not None and not crowd.allows(network):
                abort(429)
