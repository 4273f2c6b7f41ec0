"""A limit on the processor time of a block. The signal interrupts Python code and regular expressions, which check for
signals. It does not interrupt other C code; what parses strangers' texts in C takes time in proportion to their length.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.processing.cpu_budget import CpuLimitExceeded

SIGNAL, TIMER = signal.SIGPROF, signal.ITIMER_PROF
MIN_TIMER_S = 0.001

_deadline_cpu_s: list[float] = []  # processor time of the main thread at which the running block is interrupted


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise CpuLimitExceeded in the block after so many seconds of processor time. No limit outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getsignal(SIGNAL) is not _on_timer:
        signal.signal(SIGNAL, _on_timer)  # stays installed: a late signal finds no block, and does nothing
    _deadline_cpu_s[:] = [time.thread_time() + seconds]
    signal.setitimer(TIMER, seconds)
    try:
        yield
    finally:
        _deadline_cpu_s.clear()
        signal.setitimer(TIMER, 0)


def _on_timer(_signum: int, _frame: object) -> None:
    if not _deadline_cpu_s:
        return
    left = _deadline_cpu_s[0] - time.thread_time()
    if left > 0:  # the timer also counts the time of other threads
        signal.setitimer(TIMER, max(left, MIN_TIMER_S))
        return
    _deadline_cpu_s.clear()
    raise CpuLimitExceeded
