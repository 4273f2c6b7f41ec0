from __future__ import annotations

import pytest
from fakeredis import FakeRedis, FakeServer
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.inbox import stream
from pipeline.inbox.circuit_breaker import CHECK_INTERVAL_S, MIN_BACKOFF_S, CircuitBreaker
from pipeline.inbox.ingest import MAX_BATCH_HOOKS, MAX_DRAIN_WAIT_S, IngestRouter, IngestStatus
from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.inbox.stream import has_room
from tests.pipeline.inbox.hooks import hook, hooks


class Scene:
    """A way in, with a Redis that can go away and a clock that stands still."""

    def __init__(self, tmp_path) -> None:
        self.server = FakeServer()
        self.redis = FakeRedis(server=self.server)
        self.now = 0.0
        self.kicks = 0
        self.spools = SpoolDirectory(tmp_path / "spool")
        self.way = IngestRouter(self.redis, self.spools, CircuitBreaker(self.room, lambda: self.now), self.kick)

    def room(self) -> bool:
        return has_room(self.redis)

    def kick(self) -> None:
        self.kicks += 1

    def away(self) -> None:
        self.server.connected = False

    def back(self) -> None:
        self.server.connected = True
        self.now += CHECK_INTERVAL_S

    def inbox(self) -> list[str]:
        return [entry.receipt for entry in stream.read(self.redis, 10_000, 100_000_000)]

    def fill_the_disk(self) -> None:
        self.spools._own.spool._db.execute("PRAGMA query_only = 1")


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.way.close()


def test_a_hook_goes_straight_into_the_inbox(scene):
    assert scene.way.keep(hooks(3)) == "inbox"
    assert (scene.inbox(), scene.spools.depth) == (["r1", "r2", "r3"], 0)


def test_a_hook_goes_to_the_spool_while_redis_is_away(scene):
    scene.away()

    assert scene.way.keep(hooks(3)) == "spool"
    assert scene.spools.depth == 3


def test_a_hook_does_not_overtake_those_on_disk(scene):
    scene.away()
    scene.way.keep(hooks(2))
    scene.back()

    assert scene.way.keep(hooks(1, first=3)) == "spool"
    scene.way.drain()
    assert scene.way.keep(hooks(1, first=4)) == "inbox"
    assert scene.inbox() == ["r1", "r2", "r3", "r4"]


def test_a_dead_redis_is_not_tried_with_every_batch(scene):
    scene.away()
    scene.way.keep(hooks(1))
    scene.server.connected = True

    assert not scene.way.drain()
    assert stream.depth(scene.redis) == 0


def test_it_asks_to_be_let_drain_soon_while_hooks_wait_for_redis(scene):
    assert scene.way.patience() == MAX_DRAIN_WAIT_S
    scene.away()
    scene.way.keep(hooks(1))

    assert scene.way.patience() == MIN_BACKOFF_S


def test_a_long_spool_drains_in_batches(scene):
    scene.away()
    scene.way.keep(hooks(2 * MAX_BATCH_HOOKS + 1))
    scene.back()

    assert [scene.way.drain() for _ in range(4)] == [True, True, False, False]
    assert len(scene.inbox()) == 2 * MAX_BATCH_HOOKS + 1


def test_a_redis_that_goes_while_draining_loses_nothing(scene):
    scene.away()
    scene.way.keep(hooks(MAX_BATCH_HOOKS + 50))
    scene.back()
    scene.way.drain()
    scene.away()
    scene.way.drain()
    scene.back()
    scene.way.drain()

    assert scene.inbox() == [f"r{number}" for number in range(1, MAX_BATCH_HOOKS + 51)]


def test_hooks_are_refused_when_the_disk_is_full_too(scene):
    scene.away()
    scene.fill_the_disk()

    assert scene.way.keep(hooks(2)) == "refused"


def test_redis_alone_suffices_when_the_disk_is_full(scene):
    scene.fill_the_disk()

    assert scene.way.keep(hooks(2)) == "inbox"


def test_a_nearly_full_redis_gets_no_more(tmp_path):
    scene = Scene(tmp_path)
    way = IngestRouter(scene.redis, scene.spools, CircuitBreaker(lambda: False, lambda: scene.now), scene.kick)
    way.drain()

    assert way.keep(hooks(1)) == "spool"
    scene.way.close()


def test_hooks_left_by_an_earlier_process_go_first(tmp_path, scene):
    scene.away()
    scene.way.keep(hooks(2))
    scene.way.close()
    after = Scene(tmp_path)
    after.way.keep(hooks(1, first=3))
    after.way.drain()

    assert after.inbox() == ["r1", "r2", "r3"]
    after.way.close()


def test_the_chain_is_kicked_once_for_many_hooks(scene):
    scene.way.keep(hooks(3))
    scene.way.keep(hooks(3))

    assert scene.kicks == 1


def test_draining_kicks_the_chain(scene):
    scene.away()
    scene.way.keep(hooks(1))
    scene.back()
    scene.way.drain()

    assert scene.kicks == 1


def test_a_hook_that_redis_took_without_an_answer_arrives_with_the_same_receipt(tmp_path):
    scene = Scene(tmp_path)
    scene.redis.close()
    answerless = Answerless(server=scene.server)
    way = IngestRouter(answerless, scene.spools, CircuitBreaker(scene.room, lambda: scene.now), scene.kick)
    first = way.keep([hook(1)])
    scene.now += CHECK_INTERVAL_S
    way.drain()

    assert first == "spool"
    assert scene.inbox() == ["r1", "r1"]
    way.close()


def test_a_kick_that_redis_asked_for_without_an_answer_is_given_when_it_answers_again(tmp_path):
    """Redis believes that a kick is under way, and would ask for none."""
    scene = Scene(tmp_path)
    scene.redis.close()
    way = IngestRouter(
        Answerless(server=scene.server), scene.spools, CircuitBreaker(scene.room, lambda: scene.now), scene.kick
    )
    way.keep([hook(1)])
    scene.now += CHECK_INTERVAL_S
    way.drain()

    assert scene.kicks == 1
    way.keep([hook(2)])
    assert scene.kicks == 1
    way.close()


def test_its_condition_tells_what_takes_hooks(scene):
    assert scene.way.look() == IngestStatus(redis=True, spool=True, spooled_hooks=0)
    scene.away()
    scene.way.keep(hooks(2))
    assert scene.way.look() == IngestStatus(
        redis=False, spool=True, spooled_hooks=2, oldest_spooled_at=1_700_000_000_000_001
    )
    scene.fill_the_disk()
    scene.way.keep(hooks(2))
    assert scene.way.look() == IngestStatus(
        redis=False, spool=False, spooled_hooks=2, oldest_spooled_at=1_700_000_000_000_001
    )


def test_a_spool_that_cannot_be_read_stops_no_request(scene):
    scene.away()
    scene.way.keep(hooks(2))
    scene.back()
    scene.spools._own.spool._db.execute("DROP TABLE hooks")

    assert not scene.way.drain()


class Answerless(FakeRedis):
    """Does the first addition and never says so."""

    silent = True

    def eval(self, *arguments):
        answer = super().eval(*arguments)
        if self.silent:
            self.silent = False
            raise RedisTimeoutError
        return answer
