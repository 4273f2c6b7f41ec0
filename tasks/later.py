"""Does something in a moment, without holding up the worker or asking the broker to wait.

A broker's delayed messages are a matter of their own on each broker, and lie with one worker until they are due. Ours
is only a promise of this process: whoever relies on it has a sweep for the case that the process is gone by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from kombu.exceptions import OperationalError

from tasks.base import AWAY

log = structlog.get_logger(__name__)


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
    except (OperationalError, *AWAY) as error:  # kombu's, of a broker that is away, or another server of ours
        log.debug("left to the sweep", error=type(error).__name__)
