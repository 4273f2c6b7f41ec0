"""Does the same with several boxes at a time: what takes long is that the other side answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """What is still to be begun, for all threads. `may_begin`: whether the time is not up."""

    def __init__(self, items: Sequence[T], may_begin: Callable[[], bool]) -> None:
        self._left = deque(items)
        self._may_begin = may_begin
        self._lock = threading.Lock()
        self.begun = 0
        self.is_stopped = False

    def take(self) -> T | None:
        """The next, or None: nothing is to be begun any more. The first is begun whatever the time is."""
        with self._lock:
            if self.is_stopped or not self._left or (self.begun and not self._may_begin()):
                return None
            self.begun += 1
            return self._left.popleft()

    def stop(self) -> None:
        """Begin nothing more."""
        self.is_stopped = True


def work_side_by_side(
    items: Sequence[T], at_once: int, work: Callable[[T], bool], may_begin: Callable[[], bool]
) -> tuple[int, bool]:
    """Work on the items in their order, so many at a time; returns how many were begun, and whether one said stop.

    `work` returns whether to stop. After a stop, or an error, nothing more is begun; what is under way ends first, and
    then the error is raised. One item, or one at a time, is worked on in this thread.
    """
    queue = Queue(items, may_begin)

    def run() -> None:
        try:
            while (item := queue.take()) is not None:
                if work(item):
                    queue.stop()
        except BaseException:
            queue.stop()
            raise

    threads = min(at_once, len(items))
    if threads <= 1:
        run()
    else:
        _run_in_threads(run, threads, queue)
    return queue.begun, queue.is_stopped


def _run_in_threads(run: Callable[[], None], threads: int, queue: Queue[T]) -> None:
    with ThreadPoolExecutor(threads, "boxes") as pool:
        try:
            running: list[Future[None]] = [pool.submit(copy_context().run, run) for _ in range(threads)]
            wait(running)
        except BaseException:  # the soft time limit
            queue.stop()
            raise
    for one in running:
        one.result()
