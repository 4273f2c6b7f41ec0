"""The soft time limit of a task, raised as a BaseException.

Celery raises an Exception wherever the task is at that moment. Code that quarantines hooks which cannot be recorded
would then quarantine a valid hook because the database had not answered.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import SoftTimeLimitExceeded

SOFT_LIMIT_SIGNAL = signal.SIGUSR1  # sent by Celery's pool


class SoftTimeLimitReached(BaseException):
    """The soft time limit has been reached."""


@contextmanager
def soft_time_limit() -> Iterator[None]:
    """Let the limit pass through every `except Exception` in the block; after it, raise Celery's own exception."""
    if threading.current_thread() is not threading.main_thread():  # other threads get no signal
        yield
        return
    before = signal.signal(SOFT_LIMIT_SIGNAL, _raise_time_limit)
    try:
        yield
    except SoftTimeLimitReached:
        raise SoftTimeLimitExceeded from None
    finally:
        signal.signal(SOFT_LIMIT_SIGNAL, before)


def _raise_time_limit(_signum: int, _frame: object) -> None:
    raise SoftTimeLimitReached
