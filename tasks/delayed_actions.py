"""Sends a message later, or retries an action until it succeeds, in a thread of this process.

Delayed messages work differently on each broker, and stay with one worker until they are due. A timer of this process
is lost with the process, so every caller has a sweep as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from tasks.worker.base import UNAVAILABLE_ERRORS

log = structlog.get_logger(__name__)

RETRY_INTERVAL_S = 0.5  # between two attempts
RETRY_TIMEOUT_S = 600.0  # for all attempts together


def run_later(seconds: float, send: Callable[[], object]) -> None:
    """Send a message in so many seconds, or at once."""
    if seconds <= 0:
        send()
        return
    timer = threading.Timer(seconds, _send_or_skip, (send,))
    timer.daemon = True
    timer.start()


def _send_or_skip(send: Callable[[], object]) -> None:
    try:
        send()
    except UNAVAILABLE_ERRORS as error:
        log.debug("left to the sweep", error=type(error).__name__)


def retry_until_done(action: Callable[[], object]) -> None:
    """Run the action; if a server of ours is unavailable, retry it from a thread. It may run twice."""
    try:
        action()
    except UNAVAILABLE_ERRORS:
        threading.Thread(target=_retry_loop, args=(action,), name="retry", daemon=True).start()


def _retry_loop(action: Callable[[], object]) -> None:
    deadline = time.monotonic() + RETRY_TIMEOUT_S
    while time.monotonic() < deadline:
        time.sleep(RETRY_INTERVAL_S)
        with suppress(*UNAVAILABLE_ERRORS):
            action()
            return
