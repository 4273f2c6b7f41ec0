"""Strikes when a block has used up its processor time, however the time was spent: between two steps of Python, and
inside a search for a pattern, which looks for signals. A single call of other C code is not interrupted; what reads
strangers' texts in C takes time in proportion to their length.
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

_deadline_cpu_s: list[float] = []  # processor time of the main thread at which the block that runs is over


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """OverBudget strikes in the block after so many seconds of processor time; never in a thread, which hears none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getsignal(SIGNAL) is not _on_timer:
        signal.signal(SIGNAL, _on_timer)  # and it stays: a signal that is late finds no block, and does nothing
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
    if left > 0:  # the timer counts what other threads of the process do, too
        signal.setitimer(TIMER, max(left, MIN_TIMER_S))
        return
    _deadline_cpu_s.clear()
    raise CpuLimitExceeded
