"""The one thread of a web process that stores hooks: all that wait are written together and share one fsync.

A request submits a hook and waits for the result, as a thread or on an event loop. The writer starts in the process
that serves, also after a fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from asyncio import Future
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

import structlog

from pipeline.core.hooks import HEARTBEAT
from pipeline.inbox.entry import RawHook
from pipeline.inbox.ingest import MAX_BATCH_BYTES, MAX_BATCH_HOOKS, IngestStatus, Route

log = structlog.get_logger(__name__)

MAX_QUEUED_HOOKS = 1_000  # hooks that may wait for the writer; more are refused at once
RESULT_TIMEOUT_S = 10.0  # how long a request waits for its result; after that the hook is refused
IDLE_INTERVAL_S = 0.5  # how often an idle writer checks Redis and the spools
STUCK_AFTER_S = 10.0  # a writer without a sign of life for so long counts as dead
MAX_RECEIPTS_PER_LINE = 100
MAX_RECEIPT_DELAY_S = 1.0  # how long a receipt waits for others to share its log line

Result = TypeVar("Result")


class HookSink(Protocol):
    """What the writer stores hooks with: an IngestRouter, outside of tests."""

    def store(self, hooks: list[RawHook]) -> Route: ...
    def drain(self) -> bool: ...
    def get_seconds_until_drain(self) -> float: ...
    def refresh(self) -> IngestStatus: ...
    def close(self) -> None: ...


class ReceiptLog:
    """Logs the receipts of stored hooks, many in a line: a line per write would cost a tenth of the write.

    Not for several threads.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._route = ""
        self._receipts: list[str] = []
        self._since = 0.0

    def add(self, route: str, hooks: Iterable[RawHook]) -> None:
        """Note hooks that took this route. Heartbeats are not logged."""
        receipts = [hook.receipt for hook in hooks if hook.source != HEARTBEAT]
        if not receipts:
            return
        if route != self._route:
            self.flush()
        if not self._receipts:
            self._since = self._clock()
        self._route = route
        self._receipts += receipts

    def flush_if_due(self) -> None:
        """Write the line if it is full or its first receipt has waited long enough."""
        if self._receipts and (
            len(self._receipts) >= MAX_RECEIPTS_PER_LINE or self._clock() - self._since >= MAX_RECEIPT_DELAY_S
        ):
            self.flush()

    def flush(self) -> None:
        """Write the line now."""
        if self._receipts:
            log.info("hooks taken", way=self._route, receipts=self._receipts)
            self._receipts = []


class _WaitingThread:
    """A hook and the request thread that waits for its result."""

    __slots__ = ("_done", "hook", "route")

    def __init__(self, hook: RawHook) -> None:
        self.hook = hook
        self.route: Route = "refused"
        self._done = threading.Lock()  # a bare lock: an Event costs ten times as much
        self._done.acquire()

    def resolve(self, route: Route) -> None:
        self.route = route
        self._done.release()

    def wait(self, timeout_s: float) -> Route:
        return self.route if self._done.acquire(timeout=timeout_s) else "refused"


class _WaitingCoroutine:
    """A hook and the coroutine that waits for its result."""

    __slots__ = ("future", "hook")

    def __init__(self, hook: RawHook, future: Future[Route]) -> None:
        self.hook = hook
        self.future = future


_Waiting = _WaitingThread | _WaitingCoroutine


class BatchWriter:
    """A queue, a thread, and a sink that only this thread touches."""

    def __init__(
        self,
        make_sink: Callable[[], HookSink],
        *,
        limit: int = MAX_QUEUED_HOOKS,
        timeout_s: float = RESULT_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_sink = make_sink
        self._limit = limit
        self._timeout_s = timeout_s
        self._clock = clock
        self._starting = threading.Lock()
        self._pid: int | None = None
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_stopped = False
        self._last_status: tuple[float, IngestStatus] | None = None

    def submit(self, hook: RawHook) -> Route:
        """Store a hook. Returns once it is durable, or refused."""
        self.start()
        if self._is_stopped or self._queue.qsize() >= self._limit:
            return "refused"
        waiting = _WaitingThread(hook)
        self._queue.put(waiting)
        return waiting.wait(self._timeout_s)

    def submit_async(self, hook: RawHook) -> Future[Route]:
        """Store a hook. Returns a future of the running loop, which is done once the hook is durable, or refused."""
        self.start()
        future: Future[Route] = asyncio.get_running_loop().create_future()
        if self._is_stopped or self._queue.qsize() >= self._limit:
            future.set_result("refused")
        else:
            self._queue.put(_WaitingCoroutine(hook, future))
        return future

    def start(self) -> None:
        """Start the thread unless this process has it already. A fork does not copy threads."""
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid != os.getpid():
                self._queue = SimpleQueue()
                self._thread = threading.Thread(target=self._run, args=(self._queue,), name="inbox-writer", daemon=True)
                self._thread.start()
                self._pid = os.getpid()

    def stop(self) -> None:
        """Store the hooks that wait, then end. Hooks submitted from now on are refused."""
        self._is_stopped = True
        if self._thread is not None and self._pid == os.getpid():
            self._queue.put(None)
            self._thread.join(self._timeout_s)

    def get_status(self) -> IngestStatus | None:
        """Return the status of Redis and the spools a moment ago; None if the writer is dead or stuck."""
        if self._last_status is None or self._thread is None or not self._thread.is_alive():
            return None
        at, status = self._last_status
        return status if self._clock() - at < STUCK_AFTER_S else None

    def _run(self, queue: SimpleQueue[_Waiting | None]) -> None:
        sink, receipts = self._make_sink(), ReceiptLog(self._clock)
        has_more, refreshed_at = True, float("-inf")
        while True:
            timeout_s = 0.0 if has_more else _get_idle_s(sink)
            batch, is_last = _collect_batch(queue, timeout_s)
            _write_batch(sink, batch, receipts)
            if is_last:
                break
            receipts.flush_if_due()
            has_more = _run_guarded(sink.drain, default=False)
            if self._clock() - refreshed_at >= IDLE_INTERVAL_S:
                refreshed_at = self._clock()
                self._refresh_status(sink, refreshed_at)
        receipts.flush()
        sink.close()

    def _refresh_status(self, sink: HookSink, now: float) -> None:
        self._last_status = _run_guarded(lambda: (now, sink.refresh()), default=self._last_status)


def _get_idle_s(sink: HookSink) -> float:
    return min(IDLE_INTERVAL_S, _run_guarded(sink.get_seconds_until_drain, default=IDLE_INTERVAL_S))


def _collect_batch(queue: SimpleQueue[_Waiting | None], timeout_s: float) -> tuple[list[_Waiting], bool]:
    """Return the waiting hooks, up to a batch, and whether the writer is to end."""
    batch: list[_Waiting] = []
    size = 0
    try:
        waiting = queue.get(timeout=timeout_s) if timeout_s else queue.get_nowait()
        while waiting is not None:
            batch.append(waiting)
            size += waiting.hook.size
            if len(batch) == MAX_BATCH_HOOKS or size >= MAX_BATCH_BYTES:
                return batch, False
            waiting = queue.get_nowait()
    except Empty:
        return batch, False
    return batch, True


def _write_batch(sink: HookSink, batch: list[_Waiting], receipts: ReceiptLog) -> None:
    if not batch:
        return
    hooks = [waiting.hook for waiting in batch]
    route: Route = _run_guarded(lambda: sink.store(hooks), default="refused")
    futures_by_loop: dict[asyncio.AbstractEventLoop, list[Future[Route]]] = {}
    for waiting in batch:
        if isinstance(waiting, _WaitingThread):
            waiting.resolve(route)
        else:
            futures_by_loop.setdefault(waiting.future.get_loop(), []).append(waiting.future)
    for loop, futures in futures_by_loop.items():  # one wake-up for all futures of a loop: it costs a system call
        with contextlib.suppress(RuntimeError):  # the loop has ended, and its requests with it
            loop.call_soon_threadsafe(_resolve_futures, futures, route)
    receipts.add(route, hooks)  # after the requests have their results


def _resolve_futures(futures: list[Future[Route]], route: Route) -> None:
    for future in futures:
        if not future.done():  # the request may have been cancelled
            future.set_result(route)


def _run_guarded(work: Callable[[], Result], default: Result) -> Result:
    try:
        return work()
    except Exception:  # an unforeseen error may cost a batch, but never the thread
        log.exception("the inbox writer failed")
        return default
