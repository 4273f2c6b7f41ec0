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

from tasks.base import failed

PATIENCE = 0.1  # seconds for which a process waits for one call
MOST = 8  # that may go on in one process; with more it waits, as it would have without
LAST_SECONDS = 20.0  # for which a process that ends waits for what goes on: a call cut off is made again


class Calls:
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
        return PATIENCE if since is None else PATIENCE - (time.monotonic() - since)


class Lingering:
    """What goes on in this process beside its task."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._going_on: set[Future[None]] = set()

    def has_room(self) -> bool:
        """Whether a call that hangs can be left alone now."""
        return len(self._going_on) < self._most

    def run(self, name: str, work: Callable[[Calls], None]) -> None:
        """Do it and raise what it raises; but leave it alone once a call of it takes long, and tell what it raises."""
        calls, future, left = Calls(), Future[None](), True
        self._going_on.add(future)
        future.add_done_callback(self._going_on.discard)
        context = copy_context()
        thread = threading.Thread(target=context.run, args=(_do, work, calls, future), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there is no room for another thread
            future.cancel()
            raise
        try:
            left = self._leaves(calls, future)
        finally:  # the time limit, too, leaves it alone
            calls.left = left
            if left:
                future.add_done_callback(partial(_tell, name))
        if not left:
            future.result()

    def _leaves(self, calls: Calls, future: Future[None]) -> bool:
        """Wait until it is done (False), or may be left alone (True)."""
        while not future.done():
            patience = calls.patience()
            if patience <= 0 and len(self._going_on) <= self._most:
                return True
            wait([future], max(patience, PATIENCE / 2))
        return False

    def end(self) -> None:
        """Wait a little for what goes on."""
        wait(list(self._going_on), LAST_SECONDS)


def _do(work: Callable[[Calls], None], calls: Calls, future: Future[None]) -> None:
    try:
        work(calls)
    except BaseException as error:  # noqa: BLE001 whoever waits for it raises it
        future.set_exception(error)
    else:
        future.set_result(None)


def _tell(name: str, future: Future[None]) -> None:
    error = future.exception()
    if isinstance(error, Exception):
        failed(name, error)


lingering = Lingering()  # of this process: nothing goes on in a process before it has forked
