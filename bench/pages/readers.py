"""What readers of the pages cost those who send hooks: the time of an acknowledgement with and without them.

Ten readers who ask for the next page at once are as busy as a hundred people. One who is sent away because too many ask
at the same time waits for a second, as `Retry-After` asks for five.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from bench.load import Outcome, send_hooks
from bench.systems import SystemUnderTest

READERS = 10
PATHS = ("/activity", "/", "/activity?show=waiting", "/flow?span=month", "/attention", "/activity?show=refused")
CSRF_FIELD = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_CONNECTIONS = 32
_WAIT_S = 1.0  # of a reader who was sent away


@dataclass
class Readers:
    """Readers who open one page after another; `pages`: how many they have read."""

    port: int
    email: str
    password: str = field(repr=False)
    pages: int = 0
    is_over: bool = False

    @contextmanager
    def reading(self, count: int) -> Iterator[None]:
        """So many readers are at work inside the block."""
        cookie = self._log_in()
        threads = [threading.Thread(target=self._read, args=(cookie, place)) for place in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over = True
            for thread in threads:
                thread.join()

    def _read(self, cookie: str, place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for path in cycle((*PATHS[place % len(PATHS) :], *PATHS[: place % len(PATHS)])):
            if self.is_over:
                break
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            self.pages += answer.status == HTTPStatus.OK
            if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                time.sleep(_WAIT_S)
        connection.close()

    def _log_in(self) -> str:
        """One log-in for all: a user may be logged in in several browsers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/login")
        answer = connection.getresponse()
        csrf = CSRF_FIELD.search(answer.read().decode())
        form = {"email": self.email, "password": self.password, "csrf_token": csrf.group(1) if csrf else ""}
        sent = {"Cookie": _join_cookies(answer), "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login", urlencode(form), sent)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return _join_cookies(answer)


def compare(web: SystemUnderTest, readers: Readers, per_second: int, seconds: int) -> dict[str, Any]:
    """The acknowledgement's times without readers, beside them, and without them again, at this rate of hooks."""
    before = send_hooks(web, per_second, seconds, _CONNECTIONS, first=1_000_000)
    with readers.reading(READERS):
        beside = send_hooks(web, per_second, seconds, _CONNECTIONS, first=2_000_000)
    after = send_hooks(web, per_second, seconds, _CONNECTIONS, first=3_000_000)
    alone = [before, after]
    return {
        "per_second": per_second,
        "seconds": seconds,
        "readers": READERS,
        "alone": {"p50_ms": _middle(alone, 0.5), "p99_ms": _middle(alone, 0.99)},
        "beside": {
            "p50_ms": round(beside.wait(0.5), 2),
            "p99_ms": round(beside.wait(0.99), 2),
            "pages": readers.pages,
            "failures": beside.failures,
        },
    }


def _middle(outcomes: Sequence[Outcome], share: float) -> float:
    return round(sum(outcome.wait(share) for outcome in outcomes) / len(outcomes), 2)


def _join_cookies(answer: http.client.HTTPResponse) -> str:
    return "; ".join(value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie")
