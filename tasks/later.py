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

from tasks.base import AWAY

log = structlog.get_logger(__name__)

AGAIN = 0.5  # seconds between two attempts to be heard
PATIENCE = 600.0  # seconds, in all


def later(seconds: float, send: Callable[[], object]) -> None:
    """Send a message in so many seconds, or now."""
    if seconds <= 0:
        send()
        return
    timer = threading.Timer(seconds, _sent, (send,))
    timer.daemon = True
    timer.start()


def _sent(send: Callable[[], object]) -> None:
    try:
        send()
    except AWAY as error:
        log.debug("left to the sweep", error=type(error).__name__)


def until_heard(tell: Callable[[], object]) -> None:
    """Tell a server of ours something; if it is away, again and again from a thread. What is told may be told twice."""
    try:
        tell()
    except AWAY:
        threading.Thread(target=_repeat, args=(tell,), name="until-heard", daemon=True).start()


def _repeat(tell: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(AGAIN)
        with suppress(*AWAY):
            tell()
            return
