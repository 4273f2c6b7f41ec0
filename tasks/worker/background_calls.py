"""Detaches a call that hangs: its work goes on in a thread, and the process takes its next task.

Python's threads take CPU from each other and cannot be stopped, so their number is limited, and each should end soon
after its call: what is left to do then belongs in another task. Celery's own thread pool was tried instead, see
docs/decisions/0008-calls-in-threads.md.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

from pipeline.delivery.open_connection import SendCall
from tasks.worker.base import report_failure

CALL_TIMEOUT_S = 0.1  # for which a process waits for one call
MAX_BACKGROUND_CALLS = 8  # in one process; with more it waits for the call, as it would without this module
SHUTDOWN_TIMEOUT_S = 20.0  # for which a process that exits waits for them: an interrupted call is made again


class CallState:
    """Shared by the two threads: since when a call is under way, and whether the process has detached from the work."""

    def __init__(self) -> None:
        self._since: float | None = None
        self.is_detached = False

    @contextmanager
    def track_call(self) -> Iterator[None]:
        """Note that a call is under way while the block runs."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def wait_left_s(self) -> float:
        """Return how long to wait before detaching. Work that makes no call is waited for."""
        since = self._since
        return CALL_TIMEOUT_S if since is None else CALL_TIMEOUT_S - (time.monotonic() - since)


class BackgroundCalls:
    """The work that runs in this process beside its task."""

    def __init__(self, max_calls: int = MAX_BACKGROUND_CALLS) -> None:
        self._max_calls = max_calls
        self._running: set[Future[None]] = set()

    def has_room(self) -> bool:
        """Return whether a call that hangs could be detached now."""
        return len(self._running) < self._max_calls

    def run(self, name: str, work: Callable[[CallState], None]) -> None:
        """Run the work and raise its error. Once a call of it takes long, detach: its error is only reported then."""
        calls, future, detached = CallState(), Future[None](), True
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        context = copy_context()
        thread = threading.Thread(target=context.run, args=(_run_work, work, calls, future), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system allows no other thread
            future.cancel()
            raise
        try:
            detached = self._must_detach(calls, future)
        finally:  # the soft time limit detaches, too
            calls.is_detached = detached
            if detached:
                future.add_done_callback(partial(_report_error, name))
        if not detached:
            future.result()

    def _must_detach(self, calls: CallState, future: Future[None]) -> bool:
        """Wait until the work is done (False) or may be detached (True)."""
        while not future.done():
            wait_s = calls.wait_left_s()
            if wait_s <= 0 and len(self._running) <= self._max_calls:
                return True
            wait([future], max(wait_s, CALL_TIMEOUT_S / 2))
        return False

    def call_side_by_side(self, name: str, calls: Sequence[SendCall]) -> Generator[list[int], None, None]:
        """Make the calls, as many at once as may be detached; yields the positions of those that have ended.

        A call that takes long is detached: it is late. An ended call waits for at most `CALL_TIMEOUT_S` / 2 until it is
        yielded. If the generator is closed before its end, calls under way are late, and the others are never made.
        """
        group = _SideBySide(name, calls, self._running, self._max_calls)
        try:
            yield from group.run()
        finally:
            group.close()

    def wait_until_done(self) -> None:
        """Wait for the work that is running, up to SHUTDOWN_TIMEOUT_S."""
        wait(list(self._running), SHUTDOWN_TIMEOUT_S)


class _SideBySide:
    """Calls that a few threads make, one after another each. `_changed` guards what the threads share."""

    def __init__(self, name: str, calls: Sequence[SendCall], running: set[Future[None]], max_calls: int) -> None:
        self._name = name
        self._calls = calls
        self._running = running  # of the process, these threads included
        self._max_calls = max_calls
        self._waiting = deque(range(len(calls)))
        self._since: dict[int, float] = {}  # since when the calls are under way that are not late
        self._ended: list[int] = []  # and not yielded
        self._threads = 0  # that make no late call
        self._changed = threading.Condition()

    def run(self) -> Generator[list[int], None, None]:
        is_over = False
        while not is_over:
            with self._changed:
                self._start_threads()
                is_over = self._changed.wait_for(self._is_over, CALL_TIMEOUT_S / 2)
                ended, self._ended = self._ended, []
                if not is_over and len(self._running) <= self._max_calls:
                    self._mark_late(time.monotonic() - CALL_TIMEOUT_S)
            if ended:
                yield ended

    def close(self) -> None:
        """Make no further call, and wait for none."""
        with self._changed:
            self._waiting.clear()
            self._mark_late(time.monotonic())

    def _is_over(self) -> bool:
        return not self._waiting and not self._since

    def _start_threads(self) -> None:
        """Start a thread for each call that waits, as long as it could be detached; one in any case."""
        for _ in range(len(self._waiting)):
            if self._threads and len(self._running) >= self._max_calls:
                return
            done, context = Future[None](), copy_context()
            thread = threading.Thread(target=context.run, args=(self._work, done), name=self._name, daemon=True)
            self._running.add(done)
            done.add_done_callback(self._running.discard)
            try:
                thread.start()
            except RuntimeError:  # the system allows no other thread
                done.cancel()
                if self._threads:
                    return
                raise
            self._threads += 1

    def _mark_late(self, before: float) -> None:
        """Go on without the calls that began before this time."""
        for position in [position for position, since in self._since.items() if since <= before]:
            del self._since[position]
            self._threads -= 1
            self._calls[position].note_late()

    def _work(self, done: Future[None]) -> None:
        try:
            while (position := self._begin_next()) is not None:
                try:
                    self._calls[position].make()
                finally:
                    is_late = self._end(position)
                if is_late:
                    self._calls[position].finish_late()
                    return  # another thread makes what waits
        finally:
            done.set_result(None)

    def _begin_next(self) -> int | None:
        with self._changed:
            if not self._waiting:
                self._threads -= 1
                return None
            position = self._waiting.popleft()
            self._since[position] = time.monotonic()
            return position

    def _end(self, position: int) -> bool:
        """Note that the call has ended; returns whether it is late."""
        with self._changed:
            if self._since.pop(position, None) is None:
                return True
            self._ended.append(position)
            self._changed.notify()
            return False


def _run_work(work: Callable[[CallState], None], calls: CallState, future: Future[None]) -> None:
    try:
        work(calls)
    except BaseException as error:  # noqa: BLE001 raised again by the waiting thread, or reported
        future.set_exception(error)
    else:
        future.set_result(None)


def _report_error(name: str, future: Future[None]) -> None:
    error = future.exception()
    if isinstance(error, Exception):
        report_failure(name, error)


background_calls = BackgroundCalls()  # of this process: none run before the fork
