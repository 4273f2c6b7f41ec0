"""Hooks that one release let die are replayed by the next, automatically, and once by each."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.inbox import stream
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.processing import failures, validate
from pipeline.processing.failure_limit import MAX_CONSECUTIVE_FAILURES, get_chain_stop, stop_chain
from tasks import dead
from tasks.chain import start_chain
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all

REAL = validate._load
MINUTE_US = 60_000_000


@pytest.fixture(autouse=True)
def connection(installed):
    installed.connect({})


@pytest.fixture
def release(monkeypatch):
    """Call it with a release's name and the events that it cannot load: it is what runs from now on."""

    def begin(name, *broken):
        def loaded(hook, now):
            if hook["event"] in broken:
                raise AttributeError("as a release may")
            return REAL(hook, now)

        monkeypatch.setattr(validate, "_load", loaded)
        monkeypatch.setattr(failures, "RELEASE", name)
        monkeypatch.setattr(dead, "RELEASE", name)

    return begin


def chain():
    start_chain()
    run_all("hooks")


def receive_orders_among_others(installed, count):
    for number in range(count):
        other = make_hook(b'{"id": %d, "email": "o@example.com"}' % (1000 + number), event="customer_new")
        installed.receive(order_hook(number), other, make_hook(other.raw, event="customer_new"))
    chain()


def rest(installed, minutes):
    """As if they had died earlier."""
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.DeadHook).values(died_at=core.DeadHook.died_at - minutes * MINUTE_US))


def left(installed):
    return [row.detail["release"] for row in installed.rows(core.DeadHook) if row.replayed_at is None]


def orders(installed):
    return sorted(row.subject_id for row in installed.rows(core.Event) if row.name == "order_new")


def test_all_hooks_of_one_event_that_a_release_let_die_become_events_with_the_next(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 30)
    assert (left(installed), orders(installed)) == (["one"] * 30, [])

    release("two")
    rest(installed, 1)
    dead.sweep()
    chain()

    assert (left(installed), orders(installed), stream.depth(redis)) == ([], list(range(30)), 0)


def test_a_release_tries_none_of_its_own_dead(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 3)
    rest(installed, 1)

    dead.sweep()

    assert stream.depth(redis) == 0


def test_what_dies_again_waits_for_yet_another_release(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 3)
    release("two", "order_new")
    rest(installed, 1)
    dead.sweep()
    chain()
    assert left(installed) == ["two"] * 3
    rest(installed, 10)

    dead.sweep()
    assert stream.depth(redis) == 0

    release("three")
    dead.sweep()
    chain()
    assert (left(installed), orders(installed)) == ([], [0, 1, 2])


def test_while_two_releases_run_side_by_side_each_death_makes_the_next_try_wait_a_minute_longer(
    installed, redis, release
):
    release("one", "order_new")
    receive_orders_among_others(installed, 1)
    tried = 0
    for number in range(60):
        release(f"release {number % 2}", "order_new")
        rest(installed, 1)
        dead.sweep()
        tried += stream.depth(redis)
        chain()

    assert 5 < tried < 12


def test_hooks_that_die_again_stop_no_chain(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 2 * MAX_CONSECUTIVE_FAILURES)
    release("two", "order_new")
    rest(installed, 1)
    dead.sweep()
    chain()

    assert (get_chain_stop(redis), left(installed)) == (None, ["two"] * 2 * MAX_CONSECUTIVE_FAILURES)


def test_hooks_that_died_before_releases_were_written_down_are_tried(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 1)
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.DeadHook).values(detail={"error": "AttributeError"}))
    release("two")
    rest(installed, 1)

    dead.sweep()

    assert stream.depth(redis) == 1


def test_hooks_that_died_for_another_reason_are_left_alone(installed, redis, release):
    installed.receive(make_hook(b"{", event="order_new"))
    chain()
    release("two")
    rest(installed, 1)

    dead.sweep()

    assert stream.depth(redis) == 0


def test_none_is_tried_while_the_chain_stands(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 1)
    release("two")
    rest(installed, 1)
    stop_chain(redis, [{"stage": "validate", "detail": {"error": "AttributeError"}}], 0)

    dead.sweep()

    assert stream.depth(redis) == 0


def test_none_is_tried_while_a_batch_of_others_waits(installed, redis, release):
    release("one", "order_new")
    receive_orders_among_others(installed, 1)
    release("two")
    rest(installed, 1)
    waiting = installed.process.settings.batch
    installed.receive(*(order_hook(number) for number in range(waiting)))

    dead.sweep()

    assert stream.depth(redis) == waiting
