"""The pool of sending threads: which thread posts for which person, and how much is still pending."""

import threading
import zlib
from collections.abc import Callable

from sandbox.store.webhooks.sender import Post, Sender
from sandbox.store.webhooks.truth import Truth

MAX_PENDING_PER_THREAD = 400  # pending posts per thread above which the simulation pauses


class SenderPool:
    """A fixed number of threads. All posts of a person go to the same thread, which keeps their order."""

    def __init__(self, truth: Truth, clock: Callable[[], float], threads: int = 2, timeout: float = 10.0) -> None:
        self.clock = clock
        self.shape = (threads, timeout)
        self._truth = truth
        self._pending = 0
        self._changed = threading.Condition()
        self._workers = [Sender(self._posted, clock, timeout) for _ in range(threads)]

    def put(self, post: Post, key: int) -> None:
        """Queue a post; `key` is the person's id, or 0 without a person."""
        with self._changed:
            self._pending += 1
        worker = zlib.crc32(str(key).encode()) % len(self._workers)
        self._workers[worker].put(post)

    def _posted(self, post: Post, outcome: str, change: int, began: float) -> None:
        self._truth.posted(post.mark, outcome, began)
        with self._changed:
            self._pending += change
            self._changed.notify_all()

    def wait_for_room(self, patience: float) -> bool:
        """Whether there is room for more within so many seconds."""
        return self._wait_below(MAX_PENDING_PER_THREAD * len(self._workers), patience)

    def wait_until_done(self, patience: float) -> bool:
        return self._wait_below(1, patience)

    def _wait_below(self, limit: int, patience: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._pending < limit, patience)

    def stop(self) -> None:
        """Stop the threads; what was not posted by now never will be."""
        for worker in self._workers:
            worker.stop()
