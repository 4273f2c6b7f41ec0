"""The one thread of a web process that writes hooks: all that wait go in together and cost one fsync.

Requests hand it a hook and wait for the verdict, as threads or on an event loop. It starts in the process that
serves, also after a fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from asyncio import Future
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

import structlog

from pipeline.inbox.entry import RawHook
from pipeline.inbox.ingest import MAX_BATCH_BYTES, MAX_BATCH_HOOKS, IngestStatus, Route
from pipeline.inbox.receipt_log import ReceiptLog

log = structlog.get_logger(__name__)

MAX_QUEUED_HOOKS = 1_000  # hooks that may wait for the writer; more are refused at once
RESULT_TIMEOUT_S = 10.0  # how long a request waits for its verdict; afterwards the sender is told to come again
IDLE_INTERVAL_S = 0.5  # how often an idle writer looks at Redis and the spools
STUCK_AFTER_S = 10.0  # a writer silent for so long is not alive

Result = TypeVar("Result")


class HookSink(Protocol):
    """What the writer writes with; `WayIn`, outside of tests."""

    def keep(self, hooks: list[RawHook]) -> Route: ...
    def drain(self) -> bool: ...
    def patience(self) -> float: ...
    def look(self) -> IngestStatus: ...
    def close(self) -> None: ...


class _WaitingThread:
    """A hook and the request thread that waits for it."""

    __slots__ = ("_done", "hook", "way")

    def __init__(self, hook: RawHook) -> None:
        self.hook = hook
        self.way: Route = "refused"
        self._done = threading.Lock()  # a bare lock: an Event costs ten times as much
        self._done.acquire()

    def answer(self, way: Route) -> None:
        self.way = way
        self._done.release()

    def wait(self, patience: float) -> Route:
        return self.way if self._done.acquire(timeout=patience) else "refused"


class _WaitingCoroutine:
    """A hook and the coroutine that waits for it."""

    __slots__ = ("future", "hook")

    def __init__(self, hook: RawHook, future: Future[Route]) -> None:
        self.hook = hook
        self.future = future


class BatchWriter:
    """A queue, a thread, and a Keeper that only this thread touches."""

    def __init__(
        self,
        keeper: Callable[[], HookSink],
        *,
        limit: int = MAX_QUEUED_HOOKS,
        patience: float = RESULT_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_sink = keeper
        self._limit = limit
        self._patience = patience
        self._clock = clock
        self._starting = threading.Lock()
        self._pid: int | None = None
        self._queue: SimpleQueue[_WaitingThread | _WaitingCoroutine | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._seen: tuple[float, IngestStatus] | None = None

    def submit(self, hook: RawHook) -> Route:
        """Have a hook kept; returns when it is durable, or refused."""
        self.start()
        if self._stopped or self._queue.qsize() >= self._limit:
            return "refused"
        ticket = _WaitingThread(hook)
        self._queue.put(ticket)
        return ticket.wait(self._patience)

    def submit_async(self, hook: RawHook) -> Future[Route]:
        """Have a hook kept; the future of the running loop is done when it is durable, or refused."""
        self.start()
        future: Future[Route] = asyncio.get_running_loop().create_future()
        if self._stopped or self._queue.qsize() >= self._limit:
            future.set_result("refused")
        else:
            self._queue.put(_WaitingCoroutine(hook, future))
        return future

    def start(self) -> None:
        """Start the thread, unless this process has it already: a fork does not copy threads."""
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid != os.getpid():
                self._queue = SimpleQueue()
                self._thread = threading.Thread(target=self._run, args=(self._queue,), name="inbox-writer", daemon=True)
                self._thread.start()
                self._pid = os.getpid()

    def stop(self) -> None:
        """Keep what waits, then end; hooks offered from now on are refused."""
        self._stopped = True
        if self._thread is not None and self._pid == os.getpid():
            self._queue.put(None)
            self._thread.join(self._patience)

    def get_status(self) -> IngestStatus | None:
        """How things were a moment ago; None if the writer does not live."""
        if self._seen is None or self._thread is None or not self._thread.is_alive():
            return None
        at, condition = self._seen
        return condition if self._clock() - at < STUCK_AFTER_S else None

    def _run(self, queue: SimpleQueue[_WaitingThread | _WaitingCoroutine | None]) -> None:
        keeper, journal = self._make_sink(), ReceiptLog(self._clock)
        more, looked_at = True, float("-inf")
        while True:
            patience = 0 if more else min(IDLE_INTERVAL_S, _run_guarded(keeper.patience, default=IDLE_INTERVAL_S))
            tickets, ended = _collect_batch(queue, patience)
            _write_batch(keeper, tickets, journal)
            if ended:
                break
            journal.tell()
            more = _run_guarded(keeper.drain, default=False)
            if self._clock() - looked_at >= IDLE_INTERVAL_S:
                looked_at = self._clock()
                self._look(keeper, looked_at)
        journal.close()
        keeper.close()

    def _look(self, keeper: HookSink, now: float) -> None:
        self._seen = _run_guarded(lambda: (now, keeper.look()), default=self._seen)


def _collect_batch(
    queue: SimpleQueue[_WaitingThread | _WaitingCoroutine | None], timeout_s: float
) -> tuple[list[_WaitingThread | _WaitingCoroutine], bool]:
    """All that wait, up to a batch; and whether the writer is asked to end."""
    tickets: list[_WaitingThread | _WaitingCoroutine] = []
    size = 0
    try:
        ticket = queue.get(timeout=timeout_s) if timeout_s else queue.get_nowait()
        while ticket is not None:
            tickets.append(ticket)
            size += ticket.hook.size
            if len(tickets) == MAX_BATCH_HOOKS or size >= MAX_BATCH_BYTES:
                return tickets, False
            ticket = queue.get_nowait()
    except Empty:
        return tickets, False
    return tickets, True


def _write_batch(keeper: HookSink, tickets: list[_WaitingThread | _WaitingCoroutine], journal: ReceiptLog) -> None:
    if not tickets:
        return
    hooks = [ticket.hook for ticket in tickets]
    way: Route = _run_guarded(lambda: keeper.keep(hooks), default="refused")
    promised: dict[asyncio.AbstractEventLoop, list[Future[Route]]] = {}
    for ticket in tickets:
        if isinstance(ticket, _WaitingThread):
            ticket.answer(way)
        else:
            promised.setdefault(ticket.future.get_loop(), []).append(ticket.future)
    for loop, futures in promised.items():  # one wake-up for all of a loop's: it costs a system call
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it everybody who waited
            loop.call_soon_threadsafe(_resolve_futures, futures, way)
    journal.took(way, hooks)  # when nobody waits any more


def _resolve_futures(futures: list[Future[Route]], way: Route) -> None:
    for future in futures:
        if not future.done():  # whoever waited may have gone
            future.set_result(way)


def _run_guarded(work: Callable[[], Result], default: Result) -> Result:
    try:
        return work()
    except Exception:  # a fault nobody foresaw may cost a batch, never the thread
        log.exception("the inbox writer failed")
        return default
