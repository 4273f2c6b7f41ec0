from __future__ import annotations

import os
import threading

import pytest

from pipeline.inbox.batch_writer import STUCK_AFTER_S, BatchWriter
from pipeline.inbox.ingest import MAX_BATCH_HOOKS, IngestStatus
from tests.pipeline.inbox.hooks import hook
from tests.waiting import wait_until

WELL = IngestStatus(redis=True, spool=True, spooled_hooks=0)


class Shelf:
    """Keeps batches in memory; can be held up, and can break."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.drains = 0
        self.rest = 60.0
        self.closed = False
        self.fault: Exception | None = None
        self.may_go = threading.Event()
        self.may_go.set()
        self.arrived = threading.Semaphore(0)

    def keep(self, hooks):
        self.arrived.release()
        assert self.may_go.wait(10)
        if self.fault:
            raise self.fault
        self.batches.append([hook.receipt for hook in hooks])
        return "inbox"

    def drain(self) -> bool:
        self.drains += 1
        return False

    def patience(self) -> float:
        return self.rest

    def look(self) -> IngestStatus:
        return WELL

    def close(self) -> None:
        self.closed = True

    @property
    def kept(self) -> list[str]:
        return [receipt for batch in self.batches for receipt in batch]


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def writer(shelf):
    made = BatchWriter(lambda: shelf, patience=10)
    yield made
    shelf.may_go.set()
    made.stop()


def offer_from_threads(writer, numbers):
    """Offer each hook from a thread of its own; the verdicts once all have one."""
    verdicts: dict[int, str] = {}
    threads = [threading.Thread(target=lambda n=n: verdicts.__setitem__(n, writer.submit(hook(n)))) for n in numbers]
    for thread in threads:
        thread.start()
    return threads, verdicts


def test_an_offered_hook_is_kept_when_the_call_returns(writer, shelf):
    assert writer.submit(hook(1)) == "inbox"
    assert shelf.kept == ["r1"]


def test_hooks_that_wait_together_are_kept_together(writer, shelf):
    shelf.may_go.clear()
    first, _ = offer_from_threads(writer, [0])
    shelf.arrived.acquire()
    rest, verdicts = offer_from_threads(writer, range(1, 31))
    wait_until(lambda: writer._queue.qsize() == 30)
    shelf.may_go.set()
    for thread in first + rest:
        thread.join()

    assert [len(batch) for batch in shelf.batches] == [1, 30]
    assert set(verdicts.values()) == {"inbox"}


def test_a_batch_has_its_limits(writer, shelf):
    shelf.may_go.clear()
    first, _ = offer_from_threads(writer, [0])
    shelf.arrived.acquire()
    rest, _ = offer_from_threads(writer, range(1, MAX_BATCH_HOOKS + 21))
    wait_until(lambda: writer._queue.qsize() == MAX_BATCH_HOOKS + 20)
    shelf.may_go.set()
    for thread in first + rest:
        thread.join()

    assert [len(batch) for batch in shelf.batches] == [1, MAX_BATCH_HOOKS, 20]


def test_large_hooks_go_in_small_batches(writer, shelf):
    shelf.may_go.clear()
    threads, _ = offer_from_threads(writer, [0])
    shelf.arrived.acquire()
    large = [threading.Thread(target=writer.submit, args=(hook(n, size=3_000_000),)) for n in range(1, 4)]
    for thread in large:
        thread.start()
    wait_until(lambda: writer._queue.qsize() == 3)
    shelf.may_go.set()
    for thread in threads + large:
        thread.join()

    assert [len(batch) for batch in shelf.batches] == [1, 2, 1]


def test_too_many_waiting_hooks_are_refused_at_once(shelf):
    writer = BatchWriter(lambda: shelf, limit=3, patience=10)
    shelf.may_go.clear()
    threads, _ = offer_from_threads(writer, [0])
    shelf.arrived.acquire()
    more, _ = offer_from_threads(writer, [1, 2, 3])
    wait_until(lambda: writer._queue.qsize() == 3)

    assert writer.submit(hook(4)) == "refused"
    shelf.may_go.set()
    for thread in threads + more:
        thread.join()
    writer.stop()


def test_nobody_waits_for_ever(shelf):
    writer = BatchWriter(lambda: shelf, patience=0.05)
    shelf.may_go.clear()

    assert writer.submit(hook(1)) == "refused"
    shelf.may_go.set()
    writer.stop()


def test_a_fault_refuses_the_batch_and_the_writer_lives_on(writer, shelf):
    shelf.fault = ValueError("nobody foresaw this")
    first = writer.submit(hook(1))
    shelf.fault = None

    assert (first, writer.submit(hook(2))) == ("refused", "inbox")


def test_stopping_keeps_what_waits_and_closes(writer, shelf):
    shelf.may_go.clear()
    first, _ = offer_from_threads(writer, [0])
    shelf.arrived.acquire()
    rest, verdicts = offer_from_threads(writer, range(1, 5))
    wait_until(lambda: writer._queue.qsize() == 4)
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    wait_until(lambda: writer._queue.qsize() == 5)
    shelf.may_go.set()
    for thread in [*first, *rest, stopping]:
        thread.join()

    assert set(verdicts.values()) == {"inbox"}
    assert shelf.closed


def test_a_stopped_writer_refuses(writer):
    writer.submit(hook(1))
    writer.stop()

    assert writer.submit(hook(2)) == "refused"


def test_a_writer_that_never_started_stops_at_once(shelf):
    BatchWriter(lambda: shelf).stop()

    assert not shelf.closed


def test_an_idle_writer_looks_after_the_spool(writer, shelf):
    writer.start()

    wait_until(lambda: shelf.drains > 1)


def test_a_keeper_without_patience_is_let_drain_before_the_next_tick(writer, shelf):
    shelf.rest = 0.001
    writer.start()

    wait_until(lambda: shelf.drains > 100)


def test_its_condition_is_known_soon_after_the_start(writer):
    assert writer.get_status() is None
    writer.start()

    wait_until(lambda: writer.get_status() == WELL)


def test_a_stuck_writer_has_no_condition(shelf):
    now = [0.0]
    writer = BatchWriter(lambda: shelf, clock=lambda: now[0])
    writer.start()
    wait_until(lambda: writer.get_status() == WELL)
    shelf.may_go.clear()
    threads, _ = offer_from_threads(writer, [0])
    shelf.arrived.acquire()
    now[0] += STUCK_AFTER_S

    assert writer.get_status() is None
    shelf.may_go.set()
    threads[0].join()
    writer.stop()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # what is tested is a server that forks
def test_a_forked_process_has_a_writer_of_its_own(writer, shelf):
    writer.submit(hook(1))

    child = os.fork()
    if child == 0:  # the parent's thread does not exist here
        os._exit(0 if writer.submit(hook(2)) == "inbox" else 1)

    assert os.waitpid(child, 0)[1] == 0
