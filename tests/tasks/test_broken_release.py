"""A release that nearly every hook dies of costs a handful of hooks at most; the rest waits until it is mended."""

from __future__ import annotations

import pytest

from pipeline.inbox import stream
from pipeline.inbox.entry import build_heartbeat
from pipeline.ledger.schema import core
from pipeline.processing import validate
from pipeline.processing.failure_limit import (
    DRY_RUN_INTERVAL_US,
    MAX_CONSECUTIVE_FAILURES,
    get_chain_stop,
    resume_chain,
)
from pipeline.processing.release import get_running_version
from tasks.chain import start_chain
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all

REAL = validate._load


@pytest.fixture(autouse=True)
def connection(installed):
    installed.connect({})


@pytest.fixture
def release(monkeypatch):
    """Call it with the events that this release cannot load; without any it is mended."""

    def load(*broken):
        def loaded(hook, now):
            if hook["event"] in broken or "*" in broken:
                raise AttributeError("as a release may")
            return REAL(hook, now)

        monkeypatch.setattr(validate, "_load", loaded)

    return load


def chain(times=1):
    for _ in range(times):
        start_chain()
        run_all("hooks")


def later(redis):
    """It is time for the next try."""
    redis.hincrby("cratewire:chain:stopped", "probed_at", -DRY_RUN_INTERVAL_US)


def dead(installed):
    return [row.reason for row in installed.rows(core.DeadHook)]


def get_recorded(installed):
    return sorted(row.subject_id for row in installed.rows(core.Event) if row.subject_id is not None)


def test_a_batch_that_fails_because_of_a_release_stays_in_the_inbox_and_the_chain_stops(installed, redis, release):
    release("*")
    installed.receive(*(order_hook(number) for number in range(50)))

    chain(4)

    assert (dead(installed), stream.depth(redis)) == ([], 50)
    why = get_chain_stop(redis)
    assert (why.version, why.link, why.error, why.hooks) == (get_running_version(), "validate", "AttributeError", 50)


def test_hooks_that_come_one_by_one_fail_up_to_the_limit_and_no_further(installed, redis, release):
    release("*")
    for number in range(40):
        installed.receive(order_hook(number))
        chain()

    assert len(dead(installed)) == MAX_CONSECUTIVE_FAILURES - 1
    assert stream.depth(redis) == 40 - (MAX_CONSECUTIVE_FAILURES - 1)


def test_the_chain_resumes_by_itself_and_in_order_once_the_release_is_fixed(installed, redis, release):
    release("*")
    installed.receive(*(order_hook(number) for number in range(30)))
    chain(2)
    release()
    chain()
    assert get_recorded(installed) == []  # it is tried every few seconds only

    later(redis)
    chain()

    assert get_recorded(installed) == list(range(30))
    assert (get_chain_stop(redis), dead(installed), stream.depth(redis)) == (None, [], 0)


def test_a_stopped_chain_is_tried_again_and_stays_stopped_while_nothing_is_fixed(installed, redis, release):
    release("*")
    installed.receive(*(order_hook(number) for number in range(30)))
    chain()
    since = get_chain_stop(redis).since
    for _ in range(3):
        later(redis)
        chain()

    assert (dead(installed), get_chain_stop(redis).since) == ([], since)


def test_a_dry_run_leaves_nothing_in_the_ledger(installed, redis, release):
    release("order_new")
    installed.receive(*(order_hook(number) for number in range(30)))
    chain()
    before = [installed.rows(model) for model in (core.Event, core.Person, core.Delivery, core.DeadHook)]
    later(redis)
    chain()

    assert [installed.rows(model) for model in (core.Event, core.Person, core.Delivery, core.DeadHook)] == before


def test_unusual_hooks_of_one_store_stop_no_other_stores_hooks(installed, redis, release):
    installed.connect({}, store="moon")
    release("order_new")
    installed.receive(*(order_hook(number) for number in range(30)))
    chain()
    assert get_chain_stop(redis)
    installed.receive(make_hook(b'{"id": 5, "email": "m@example.com"}', store="moon", event="customer_new"))

    later(redis)
    chain(3)

    assert get_chain_stop(redis) is None
    assert dead(installed) == ["internal_error"] * 30
    assert get_recorded(installed) == [5]


def test_a_failing_hook_among_others_fails_alone(installed, redis, release):
    release("customer_new")
    for number in range(20):
        installed.receive(order_hook(number), make_hook(b'{"id": 5}', event="customer_new"))
        chain()

    assert (len(dead(installed)), get_recorded(installed), get_chain_stop(redis)) == (20, list(range(20)), None)


def test_heartbeats_say_nothing_about_a_release(installed, redis, release):
    release("order_new")
    installed.receive(*(order_hook(number) for number in range(30)), *(build_heartbeat(number) for number in range(30)))
    chain()

    assert get_chain_stop(redis)
    assert dead(installed) == []


def test_a_command_resumes_the_chain_whatever_fails(installed, redis, release):
    release("*")
    installed.receive(*(order_hook(number) for number in range(30)))
    chain()

    resume_chain(redis, ignore_limit=True)
    chain(2)

    assert (len(dead(installed)), stream.depth(redis)) == (30, 0)
    assert get_chain_stop(redis) is None
