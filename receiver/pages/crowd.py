"""Limits of a minute, each for one network or one network's target, so that no visitor uses up those of others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

from flask import Flask, abort, request

from receiver.pages.keys import tag_of
from receiver.pages.networks import network_of
from receiver.pages.sessions import here

MOST_FORMS = 30  # of one network: more than a person sends, fewer than a guesser needs
MOST_REMEMBERED = 10_000  # then the one that was counted longest ago is forgotten
_MINUTE_US = 60_000_000


class Crowd:
    """Counts what each of many did in the last minute, in this process."""

    def __init__(self, most: int, now: Callable[[], int]) -> None:
        self._most = most
        self._now = now
        self._counted: dict[Hashable, deque[int]] = {}
        self._lock = Lock()

    def lets_in(self, who: Hashable) -> bool:
        """Count one more; False if it is one too many."""
        with self._lock:
            counted = self._counted.pop(who, deque())
            self._counted[who] = counted  # the newest are last
            if len(self._counted) > MOST_REMEMBERED:
                self._counted.pop(next(iter(self._counted)))
            now = self._now()
            while counted and counted[0] <= now - _MINUTE_US:
                counted.popleft()
            if len(counted) >= self._most:
                return False
            counted.append(now)
            return True


def network_here() -> str | None:
    """Where this request comes from."""
    return network_of(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def network_tag() -> str:
    """The same for the same network, and no way back to it; "" if it is unknown."""
    network = network_here()
    return tag_of(f"{here().settings.secret_keys[0]} {network}") if network else ""


def keep_crowds_out(app: Flask, now: Callable[[], int]) -> None:
    """Before anything else is done about a form."""
    crowd = Crowd(MOST_FORMS, now)

    @app.before_request
    def count() -> None:
        if request.method == "POST":
            network = network_here()
            if network is not None and not crowd.lets_in(network):
                abort(429)
