"""Does something in a moment, or until it succeeds, without holding up the worker or asking the broker to wait.

A broker's delayed messages are a matter of their own on each broker, and lie with one worker until they are due. Ours
is only a promise of this process: whoever relies on it has a sweep for the case that the process is gone by then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from tasks.worker.base import UNAVAILABLE_ERRORS

log = structlog.get_logger(__name__)

RETRY_INTERVAL_S = 0.5  # seconds between two attempts to be heard
RETRY_TIMEOUT_S = 600.0  # seconds, in all


def run_later(seconds: float, send: Callable[[], object]) -> None:
    """Send a message in so many seconds, or now."""
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
    """Tell a server of ours something; if it is away, again and again from a thread. What is told may be told twice."""
    try:
        action()
    except UNAVAILABLE_ERRORS:
        threading.Thread(target=_retry_loop, args=(action,), name="until-heard", daemon=True).start()


def _retry_loop(action: Callable[[], object]) -> None:
    deadline = time.monotonic() + RETRY_TIMEOUT_S
    while time.monotonic() < deadline:
        time.sleep(RETRY_INTERVAL_S)
        with suppress(*UNAVAILABLE_ERRORS):
            action()
            return
