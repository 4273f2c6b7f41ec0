"""A release that nearly every hook dies of costs a handful of hooks at most; the rest waits until it is mended."""

from __future__ import annotations

import pytest
from redis import Redis

from pipeline.chain import validating
from pipeline.chain.limit import MOST_IN_A_ROW, PROBE_INTERVAL_US, go_on, our_version, stopped
from pipeline.inbox import stream
from pipeline.inbox.heartbeat import heartbeat
from pipeline.ledger import tables
from tasks.kick import publish
from tests.installation import a_hook, order_hook
from tests.tasks.by_hand import work_off

REAL = validating._load


@pytest.fixture(autouse=True)
def connection(installed):
    installed.connect({})


@pytest.fixture
def redis(installed) -> Redis:
    return installed.process.redis


@pytest.fixture
def release(monkeypatch):
    """Call it with the events that this release cannot load; without any it is mended."""

    def load(*broken):
        def loaded(hook, now):
            if hook["event"] in broken or "*" in broken:
                raise AttributeError("as a release may")
            return REAL(hook, now)

        monkeypatch.setattr(validating, "_load", loaded)

    return load


def chain(times=1):
    for _ in range(times):
        publish()
        work_off("hooks")


def later(redis):
    """It is time for the next try."""
    redis.hincrby("cratewire:chain:stopped", "probed_at", -PROBE_INTERVAL_US)


def dead(installed):
    return [row.reason for row in installed.rows(tables.DeadHook)]


def told(installed):
    return sorted(row.subject_id for row in installed.rows(tables.Event) if row.subject_id is not None)


def test_a_batch_that_dies_of_a_release_stays_in_the_inbox_and_the_chain_stands(installed, redis, release):
    release("*")
    installed.tell(*(order_hook(number) for number in range(50)))

    chain(4)

    assert (dead(installed), stream.depth(redis)) == ([], 50)
    why = stopped(redis)
    assert (why.version, why.link, why.error, why.hooks) == (our_version(), "validate", "AttributeError", 50)


def test_hooks_that_come_one_by_one_die_up_to_the_limit_and_no_further(installed, redis, release):
    release("*")
    for number in range(40):
        installed.tell(order_hook(number))
        chain()

    assert len(dead(installed)) == MOST_IN_A_ROW - 1
    assert stream.depth(redis) == 40 - (MOST_IN_A_ROW - 1)


def test_it_goes_on_by_itself_once_the_release_is_mended_and_in_order(installed, redis, release):
    release("*")
    installed.tell(*(order_hook(number) for number in range(30)))
    chain(2)
    release()
    chain()
    assert told(installed) == []  # it is tried every few seconds only

    later(redis)
    chain()

    assert told(installed) == list(range(30))
    assert (stopped(redis), dead(installed), stream.depth(redis)) == (None, [], 0)


def test_a_chain_that_stands_is_tried_again_and_stands_while_nothing_is_mended(installed, redis, release):
    release("*")
    installed.tell(*(order_hook(number) for number in range(30)))
    chain()
    since = stopped(redis).since
    for _ in range(3):
        later(redis)
        chain()

    assert (dead(installed), stopped(redis).since) == ([], since)


def test_what_is_tried_leaves_nothing_in_the_ledger(installed, redis, release):
    release("order_new")
    installed.tell(*(order_hook(number) for number in range(30)))
    chain()
    before = [installed.rows(model) for model in (tables.Event, tables.Person, tables.Delivery, tables.DeadHook)]
    later(redis)
    chain()

    assert [installed.rows(one) for one in (tables.Event, tables.Person, tables.Delivery, tables.DeadHook)] == before


def test_odd_hooks_of_one_store_stop_no_other_stores_hooks(installed, redis, release):
    installed.connect({}, store="moon")
    release("order_new")
    installed.tell(*(order_hook(number) for number in range(30)))
    chain()
    assert stopped(redis)
    installed.tell(a_hook(b'{"id": 5, "email": "m@example.com"}', store="moon", event="customer_new"))

    later(redis)
    chain(3)

    assert stopped(redis) is None
    assert dead(installed) == ["internal_error"] * 30
    assert told(installed) == [5]


def test_one_hook_among_sound_ones_dies_alone_as_ever(installed, redis, release):
    release("customer_new")
    for number in range(20):
        installed.tell(order_hook(number), a_hook(b'{"id": 5}', event="customer_new"))
        chain()

    assert (len(dead(installed)), told(installed), stopped(redis)) == (20, list(range(20)), None)


def test_heartbeats_speak_for_no_release(installed, redis, release):
    release("order_new")
    installed.tell(*(order_hook(number) for number in range(30)), *(heartbeat(number) for number in range(30)))
    chain()

    assert stopped(redis)
    assert dead(installed) == []


def test_a_command_lets_it_go_on_whatever_dies(installed, redis, release):
    release("*")
    installed.tell(*(order_hook(number) for number in range(30)))
    chain()

    go_on(redis, whatever_dies=True)
    chain(2)

    assert (len(dead(installed)), stream.depth(redis)) == (30, 0)
    assert stopped(redis) is None
