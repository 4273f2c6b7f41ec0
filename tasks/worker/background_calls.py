"""Lets a call that hangs hold no process: what waits for it goes on in a thread, and the process takes its next task.

Python's threads take CPU from each other and cannot be ended, so only so many may go on, and each of them should come
to its end soon after its call: what is left to do then is a task of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

from tasks.worker.base import report_failure

CALL_TIMEOUT_S = 0.1  # seconds for which a process waits for one call
MAX_BACKGROUND_CALLS = 8  # that may go on in one process; with more it waits, as it would have without
SHUTDOWN_TIMEOUT_S = 20.0  # for which a process that ends waits for what goes on: a call cut off is made again


class CallState:
    """Whether a call is under way, and since when, for the thread that waits; whether it still does, for the other."""

    def __init__(self) -> None:
        self._since: float | None = None
        self.left = False  # nobody waits any more

    @contextmanager
    def one(self) -> Iterator[None]:
        """A call is under way while the block runs."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def patience(self) -> float:
        """Seconds for which it is still worth waiting: nothing but a call is left alone."""
        since = self._since
        return CALL_TIMEOUT_S if since is None else CALL_TIMEOUT_S - (time.monotonic() - since)


class BackgroundCalls:
    """What goes on in this process beside its task."""

    def __init__(self, most: int = MAX_BACKGROUND_CALLS) -> None:
        self._most = most
        self._running: set[Future[None]] = set()

    def has_room(self) -> bool:
        """Whether a call that hangs can be left alone now."""
        return len(self._running) < self._most

    def run(self, name: str, work: Callable[[CallState], None]) -> None:
        """Do it and raise what it raises; but leave it alone once a call of it takes long, and tell what it raises."""
        calls, future, left = CallState(), Future[None](), True
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        context = copy_context()
        thread = threading.Thread(target=context.run, args=(_run_work, work, calls, future), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there is no room for another thread
            future.cancel()
            raise
        try:
            left = self._must_detach(calls, future)
        finally:  # the time limit, too, leaves it alone
            calls.left = left
            if left:
                future.add_done_callback(partial(_report_error, name))
        if not left:
            future.result()

    def _must_detach(self, calls: CallState, future: Future[None]) -> bool:
        """Wait until it is done (False), or may be left alone (True)."""
        while not future.done():
            patience = calls.patience()
            if patience <= 0 and len(self._running) <= self._most:
                return True
            wait([future], max(patience, CALL_TIMEOUT_S / 2))
        return False

    def end(self) -> None:
        """Wait a little for what goes on."""
        wait(list(self._running), SHUTDOWN_TIMEOUT_S)


def _run_work(work: Callable[[CallState], None], calls: CallState, future: Future[None]) -> None:
    try:
        work(calls)
    except BaseException as error:  # noqa: BLE001 whoever waits for it raises it
        future.set_exception(error)
    else:
        future.set_result(None)


def _report_error(name: str, future: Future[None]) -> None:
    error = future.exception()
    if isinstance(error, Exception):
        report_failure(name, error)


background_calls = BackgroundCalls()  # of this process: nothing goes on in a process before it has forked
