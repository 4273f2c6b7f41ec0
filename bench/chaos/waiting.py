"""Waits for the processes of a run, and asks whether web answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

START_TIMEOUT_S = 120
POLL_INTERVAL_S = 0.1


def is_answering(port: int) -> bool:
    """Return whether web answers on this port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500  # noqa: PLR2004 it speaks
    return False


def wait_until(done: Callable[[], bool], what: str, describe: Callable[[], str] = str) -> None:
    """Return when the condition is true; raise after a timeout, with the text of `describe`."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {START_TIMEOUT_S} s in vain until {what}. {describe()}")
        time.sleep(POLL_INTERVAL_S)
