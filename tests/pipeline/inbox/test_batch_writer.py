from __future__ import annotations

import os
import threading

import pytest

from pipeline.inbox import batch_writer
from pipeline.inbox.batch_writer import STUCK_AFTER_S, BatchWriter
from pipeline.inbox.ingest import MAX_BATCH_HOOKS, IngestStatus
from tests.pipeline.inbox.hooks import hook
from tests.waiting import wait_until

HEALTHY = IngestStatus(redis=True, spool=True, spooled_hooks=0)


class FakeSink:
    """Stores batches in memory. Can be blocked, and can fail."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.drains = 0
        self.idle_s = 60.0
        self.closed = False
        self.fault: Exception | None = None
        self.may_write = threading.Event()
        self.may_write.set()
        self.arrived = threading.Semaphore(0)

    def store(self, hooks):
        self.arrived.release()
        assert self.may_write.wait(10)
        if self.fault:
            raise self.fault
        self.batches.append([hook.receipt for hook in hooks])
        return "inbox"

    def drain(self) -> bool:
        self.drains += 1
        return False

    def get_seconds_until_drain(self) -> float:
        return self.idle_s

    def refresh(self) -> IngestStatus:
        return HEALTHY

    def close(self) -> None:
        self.closed = True

    @property
    def receipts(self) -> list[str]:
        return [receipt for batch in self.batches for receipt in batch]


@pytest.fixture
def sink():
    return FakeSink()


@pytest.fixture
def writer(sink):
    made = BatchWriter(lambda: sink, timeout_s=10)
    yield made
    sink.may_write.set()
    made.stop()


def submit_from_threads(writer, numbers):
    """Submit each hook from a thread of its own. Returns the threads and their results, filled once they end."""
    results: dict[int, str] = {}
    threads = [threading.Thread(target=lambda n=n: results.__setitem__(n, writer.submit(hook(n)))) for n in numbers]
    for thread in threads:
        thread.start()
    return threads, results


def test_a_submitted_hook_is_stored_when_the_call_returns(writer, sink):
    assert writer.submit(hook(1)) == "inbox"
    assert sink.receipts == ["r1"]


def test_hooks_that_wait_together_are_stored_together(writer, sink):
    sink.may_write.clear()
    first, _ = submit_from_threads(writer, [0])
    sink.arrived.acquire()
    rest, results = submit_from_threads(writer, range(1, 31))
    wait_until(lambda: writer._queue.qsize() == 30)
    sink.may_write.set()
    for thread in first + rest:
        thread.join()

    assert [len(batch) for batch in sink.batches] == [1, 30]
    assert set(results.values()) == {"inbox"}


def test_a_batch_has_its_limits(writer, sink):
    sink.may_write.clear()
    first, _ = submit_from_threads(writer, [0])
    sink.arrived.acquire()
    rest, _ = submit_from_threads(writer, range(1, MAX_BATCH_HOOKS + 21))
    wait_until(lambda: writer._queue.qsize() == MAX_BATCH_HOOKS + 20)
    sink.may_write.set()
    for thread in first + rest:
        thread.join()

    assert [len(batch) for batch in sink.batches] == [1, MAX_BATCH_HOOKS, 20]


def test_large_hooks_go_in_small_batches(writer, sink):
    sink.may_write.clear()
    threads, _ = submit_from_threads(writer, [0])
    sink.arrived.acquire()
    large = [threading.Thread(target=writer.submit, args=(hook(n, size=3_000_000),)) for n in range(1, 4)]
    for thread in large:
        thread.start()
    wait_until(lambda: writer._queue.qsize() == 3)
    sink.may_write.set()
    for thread in threads + large:
        thread.join()

    assert [len(batch) for batch in sink.batches] == [1, 2, 1]


def test_too_many_waiting_hooks_are_refused_at_once(sink):
    writer = BatchWriter(lambda: sink, limit=3, timeout_s=10)
    sink.may_write.clear()
    threads, _ = submit_from_threads(writer, [0])
    sink.arrived.acquire()
    more, _ = submit_from_threads(writer, [1, 2, 3])
    wait_until(lambda: writer._queue.qsize() == 3)

    assert writer.submit(hook(4)) == "refused"
    sink.may_write.set()
    for thread in threads + more:
        thread.join()
    writer.stop()


def test_a_request_waits_no_longer_than_the_timeout(sink):
    writer = BatchWriter(lambda: sink, timeout_s=0.05)
    sink.may_write.clear()

    assert writer.submit(hook(1)) == "refused"
    sink.may_write.set()
    writer.stop()


def test_an_error_refuses_the_batch_and_the_writer_goes_on(writer, sink):
    sink.fault = ValueError("unforeseen")
    first = writer.submit(hook(1))
    sink.fault = None

    assert (first, writer.submit(hook(2))) == ("refused", "inbox")


def test_stopping_stores_the_waiting_hooks_and_closes_the_sink(writer, sink):
    sink.may_write.clear()
    first, _ = submit_from_threads(writer, [0])
    sink.arrived.acquire()
    rest, results = submit_from_threads(writer, range(1, 5))
    wait_until(lambda: writer._queue.qsize() == 4)
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    wait_until(lambda: writer._queue.qsize() == 5)
    sink.may_write.set()
    for thread in [*first, *rest, stopping]:
        thread.join()

    assert set(results.values()) == {"inbox"}
    assert sink.closed


def test_a_stopped_writer_refuses(writer):
    writer.submit(hook(1))
    writer.stop()

    assert writer.submit(hook(2)) == "refused"


def test_a_writer_that_never_started_stops_without_making_a_sink():
    made = []
    BatchWriter(lambda: made.append("a sink")).stop()

    assert made == []


def test_an_idle_writer_drains_the_spool(writer, sink):
    writer.start()

    assert wait_until(lambda: sink.drains > 1)


def test_a_sink_that_asks_for_it_is_drained_before_the_idle_interval(writer, sink, monkeypatch):
    monkeypatch.setattr(batch_writer, "IDLE_INTERVAL_S", 3600.0)
    sink.idle_s = 0.001
    writer.start()

    assert wait_until(lambda: sink.drains > 2)


def test_its_status_is_known_soon_after_the_start(writer):
    assert writer.get_status() is None
    writer.start()

    assert wait_until(lambda: writer.get_status() == HEALTHY)


def test_a_stuck_writer_has_no_status(sink):
    now = [0.0]
    writer = BatchWriter(lambda: sink, clock=lambda: now[0])
    writer.start()
    wait_until(lambda: writer.get_status() == HEALTHY)
    sink.may_write.clear()
    threads, _ = submit_from_threads(writer, [0])
    sink.arrived.acquire()
    now[0] += STUCK_AFTER_S

    assert writer.get_status() is None
    sink.may_write.set()
    threads[0].join()
    writer.stop()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # what is tested is a server that forks
def test_a_forked_process_has_a_writer_of_its_own(writer, sink):
    writer.submit(hook(1))

    child = os.fork()
    if child == 0:  # the parent's thread does not exist here
        os._exit(0 if writer.submit(hook(2)) == "inbox" else 1)

    assert os.waitpid(child, 0)[1] == 0
