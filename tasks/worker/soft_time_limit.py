"""A task's soft time limit, as something that nothing on its way takes for a fault of what the task was doing.

Celery raises an Exception wherever the task is just then. Whoever sets aside what cannot be recorded would set a sound
hook aside because the database had not answered.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import SoftTimeLimitExceeded

SOFT_LIMIT_SIGNAL = signal.SIGUSR1  # with which Celery's pool tells a process of it


class SoftTimeLimitReached(BaseException):
    """The soft time limit has struck."""


@contextmanager
def soft_time_limit() -> Iterator[None]:
    """While the block runs the limit goes through every `except Exception`; at its end it is Celery's again."""
    if threading.current_thread() is not threading.main_thread():  # where no signal is heard
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
