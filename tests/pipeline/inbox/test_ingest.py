from __future__ import annotations

import threading

import pytest
from fakeredis import FakeRedis, FakeServer
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.inbox import stream
from pipeline.inbox.circuit_breaker import CHECK_INTERVAL_S, MIN_BACKOFF_S, CircuitBreaker
from pipeline.inbox.ingest import MAX_BATCH_HOOKS, MAX_DRAIN_WAIT_S, IngestRouter, IngestStatus, WakeupThread
from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.inbox.stream import has_room
from tests.pipeline.inbox.hooks import hook, hooks


class Setup:
    """An ingest router, with a Redis that can go away and a clock that stands still."""

    def __init__(self, tmp_path) -> None:
        self.server = FakeServer()
        self.redis = FakeRedis(server=self.server)
        self.now = 0.0
        self.wakeups = 0
        self.spools = SpoolDirectory(tmp_path / "spool")
        self.router = IngestRouter(self.redis, self.spools, CircuitBreaker(self.room, lambda: self.now), self.wake_up)

    def room(self) -> bool:
        return has_room(self.redis)

    def wake_up(self, partitions) -> None:
        assert list(partitions) == [0]
        self.wakeups += 1

    def away(self) -> None:
        self.server.connected = False

    def back(self) -> None:
        self.server.connected = True
        self.now += CHECK_INTERVAL_S

    def inbox(self) -> list[str]:
        return [entry.receipt for entry in stream.read(self.redis, 10_000, 100_000_000)]

    def fill_the_disk(self) -> None:
        self.spools._own.spool._conn.execute("PRAGMA query_only = 1")


@pytest.fixture
def setup(tmp_path):
    made = Setup(tmp_path)
    yield made
    made.router.close()


def test_a_hook_goes_straight_into_the_inbox(setup):
    assert setup.router.store(hooks(3)) == "inbox"
    assert (setup.inbox(), setup.spools.depth) == (["r1", "r2", "r3"], 0)


def test_a_hook_goes_to_the_spool_while_redis_is_away(setup):
    setup.away()

    assert setup.router.store(hooks(3)) == "spool"
    assert setup.spools.depth == 3


def test_a_hook_does_not_overtake_those_on_disk(setup):
    setup.away()
    setup.router.store(hooks(2))
    setup.back()

    assert setup.router.store(hooks(1, first=3)) == "spool"
    setup.router.drain()
    assert setup.router.store(hooks(1, first=4)) == "inbox"
    assert setup.inbox() == ["r1", "r2", "r3", "r4"]


def test_a_dead_redis_is_not_tried_with_every_batch(setup):
    setup.away()
    setup.router.store(hooks(1))
    setup.server.connected = True

    assert not setup.router.drain()
    assert stream.depth(setup.redis) == 0


def test_it_asks_to_be_drained_soon_while_hooks_wait_for_redis(setup):
    assert setup.router.get_seconds_until_drain() == MAX_DRAIN_WAIT_S
    setup.away()
    setup.router.store(hooks(1))

    assert setup.router.get_seconds_until_drain() == MIN_BACKOFF_S


def test_a_long_spool_drains_in_batches(setup):
    setup.away()
    setup.router.store(hooks(2 * MAX_BATCH_HOOKS + 1))
    setup.back()

    assert [setup.router.drain() for _ in range(4)] == [True, True, False, False]
    assert len(setup.inbox()) == 2 * MAX_BATCH_HOOKS + 1


def test_a_redis_that_fails_during_a_drain_loses_nothing(setup):
    setup.away()
    setup.router.store(hooks(MAX_BATCH_HOOKS + 50))
    setup.back()
    setup.router.drain()
    setup.away()
    setup.router.drain()
    setup.back()
    setup.router.drain()

    assert setup.inbox() == [f"r{number}" for number in range(1, MAX_BATCH_HOOKS + 51)]


def test_hooks_are_refused_when_the_disk_is_full_too(setup):
    setup.away()
    setup.fill_the_disk()

    assert setup.router.store(hooks(2)) == "refused"


def test_hooks_go_to_redis_when_the_disk_is_full(setup):
    setup.fill_the_disk()

    assert setup.router.store(hooks(2)) == "inbox"


def test_a_nearly_full_redis_gets_no_more(tmp_path):
    setup = Setup(tmp_path)
    router = IngestRouter(setup.redis, setup.spools, CircuitBreaker(lambda: False, lambda: setup.now), setup.wake_up)
    router.drain()

    assert router.store(hooks(1)) == "spool"
    setup.router.close()


def test_hooks_left_by_an_earlier_process_go_first(tmp_path, setup):
    setup.away()
    setup.router.store(hooks(2))
    setup.router.close()
    after = Setup(tmp_path)
    after.router.store(hooks(1, first=3))
    after.router.drain()

    assert after.inbox() == ["r1", "r2", "r3"]
    after.router.close()


def test_the_chain_is_woken_once_for_many_hooks(setup):
    setup.router.store(hooks(3))
    setup.router.store(hooks(3))

    assert setup.wakeups == 1


def test_draining_wakes_the_chain(setup):
    setup.away()
    setup.router.store(hooks(1))
    setup.back()
    setup.router.drain()

    assert setup.wakeups == 1


def test_a_hook_that_redis_took_without_an_answer_arrives_with_the_same_receipt(tmp_path):
    setup = Setup(tmp_path)
    setup.redis.close()
    answerless = Answerless(server=setup.server)
    router = IngestRouter(answerless, setup.spools, CircuitBreaker(setup.room, lambda: setup.now), setup.wake_up)
    first = router.store([hook(1)])
    setup.now += CHECK_INTERVAL_S
    router.drain()

    assert first == "spool"
    assert setup.inbox() == ["r1", "r1"]
    router.close()


def test_a_wake_up_asked_for_in_a_lost_answer_is_sent_when_redis_answers_again(tmp_path):
    """Redis assumes that a wake-up is under way, and asks for no other."""
    setup = Setup(tmp_path)
    setup.redis.close()
    router = IngestRouter(
        Answerless(server=setup.server), setup.spools, CircuitBreaker(setup.room, lambda: setup.now), setup.wake_up
    )
    router.store([hook(1)])
    setup.now += CHECK_INTERVAL_S
    router.drain()

    assert setup.wakeups == 1
    router.store([hook(2)])
    assert setup.wakeups == 1
    router.close()


def test_its_status_says_where_hooks_can_be_stored(setup):
    assert setup.router.refresh() == IngestStatus(redis=True, spool=True, spooled_hooks=0)
    setup.away()
    setup.router.store(hooks(2))
    assert setup.router.refresh() == IngestStatus(
        redis=False, spool=True, spooled_hooks=2, oldest_spooled_at=1_700_000_000_000_001
    )
    setup.fill_the_disk()
    setup.router.store(hooks(2))
    assert setup.router.refresh() == IngestStatus(
        redis=False, spool=False, spooled_hooks=2, oldest_spooled_at=1_700_000_000_000_001
    )


def test_a_spool_that_cannot_be_read_stops_no_request(setup):
    setup.away()
    setup.router.store(hooks(2))
    setup.back()
    setup.spools._own.spool._conn.execute("DROP TABLE hooks")

    assert not setup.router.drain()


def test_a_request_wakes_the_chain_from_another_thread():
    woken = threading.Event()
    threads = []

    def wake_up(_partition):
        threads.append(threading.current_thread())
        woken.set()

    WakeupThread(wake_up).request()

    assert woken.wait(10)
    assert threads != [threading.current_thread()]


def test_requests_during_a_wake_up_share_the_next_one():
    started, may_go, done = threading.Semaphore(0), threading.Semaphore(0), []

    def wake_up(_partition):
        started.release()
        may_go.acquire()
        done.append(1)

    thread = WakeupThread(wake_up)
    thread.request()
    started.acquire()
    for _ in range(20):
        thread.request()
    may_go.release(2)
    started.acquire()

    assert not started.acquire(timeout=0.1)


def test_a_broker_that_fails_does_not_end_the_wake_up_thread():
    attempts = threading.Semaphore(0)

    def wake_up(_partition):
        attempts.release()
        raise OSError("no broker")

    thread = WakeupThread(wake_up)
    for _ in range(3):
        thread.request()
        assert attempts.acquire(timeout=10)


class Answerless(FakeRedis):
    """Runs the first script and loses its answer."""

    silent = True

    def eval(self, *arguments):
        answer = super().eval(*arguments)
        if self.silent:
            self.silent = False
            raise RedisTimeoutError
        return answer
