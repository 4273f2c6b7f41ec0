"""Slices of a retention sweep: their size, their order, what they leave behind, and giving way to hooks."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.core.slice_size import SliceSize
from pipeline.inbox import stream
from pipeline.inbox.entry import RawHook
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.retention.kinds import Candidate
from pipeline.ledger.retention.progress import load_progress
from pipeline.ledger.schema import core
from pipeline.ledger.schema.retention import PastEvent, RetentionProgress
from pipeline.operations.retention import DAY_US, take_slice
from tests.builders import NOW
from tests.pipeline.operations.retention_shop import FakeSeconds, orders, sell_and_send

OLD = Candidate(1, is_old=True, is_blocked=False)
BLOCKED = Candidate(1, is_old=True, is_blocked=True)
YOUNG = Candidate(1, is_old=False, is_blocked=False)


def test_a_pass_ends_and_the_next_begins_an_hour_later(quick):
    shop = quick
    orders(shop, 3)
    shop.sweep(30.1)
    orders(shop, 1, at=NOW + round(0.11 * DAY_US), first=20_000)

    assert shop.sweep(30.12) == {}
    assert shop.sweep(30.2) == {"bodies": 1}


def test_after_the_clock_was_set_back_the_next_pass_does_not_wait(quick):
    shop = quick
    shop.sweep(1000)
    orders(shop, 1)

    assert shop.sweep(31) == {"bodies": 1}


def test_a_clock_that_was_ahead_for_a_moment_holds_nothing_back(quick):
    shop = quick
    orders(shop, 1, at=NOW + 900 * DAY_US)
    orders(shop, 1, first=20_000)

    shop.sweep(31)
    shop.sweep(32)

    assert [row.event_id for row in shop.rows(core.Body)] == [1]


def test_a_slice_grows_while_it_is_quick(quick):
    shop = quick
    orders(shop, 70)

    shop.sweep(31, FakeSeconds(slice_s=0.0001))

    with reading(shop.engine) as conn:
        assert load_progress(conn)["bodies"].slice_size == 100


def test_a_slow_slice_makes_the_next_one_smaller_and_the_sweep_rest(quick):
    shop = quick
    orders(shop, 25)
    clock = FakeSeconds()
    clock.slice_s = 0.015  # each look at the clock: a slice takes two or three

    shop.sweep(31, clock)

    with reading(shop.engine) as conn:
        progress = load_progress(conn)["bodies"]
    assert (progress.slice_size <= 50, shop.count(core.Body)) == (True, [0])
    assert all(rest >= 0.02 for rest in clock.slept)
    assert max(clock.slept) >= 4 * 0.015


def test_a_sweep_that_runs_out_of_time_is_continued_by_the_next(quick):
    shop = quick
    orders(shop, 45)
    clock = FakeSeconds(slice_s=1.0)

    shop.sweep(31, clock)
    left = len(shop.rows(core.Body))
    for _ in range(50):
        shop.sweep(31, FakeSeconds(slice_s=1.0))

    assert (left > 0, shop.count(core.Body)) == (True, [0])


def test_a_sweep_gives_way_to_hooks_after_one_slice(quick):
    shop = quick
    orders(shop, 45)
    stream.add(shop.redis, RawHook("r", "acme", 1, "order_new", NOW, b"{}", None, "hook"))
    clock = FakeSeconds()

    deleted = shop.sweep(31, clock)

    assert deleted == {"bodies": 20}
    assert 0.5 <= clock.now < 1.1


def test_many_messages_that_must_stay_do_not_hide_those_behind_them(quick):
    shop = quick
    orders(shop, 30)
    with writing(shop.engine) as conn:
        late = core.Delivery.id > 40
        conn.execute(update(core.Delivery).where(late).values(status="sent", done_at=NOW))

    shop.sweep(91)
    with reading(shop.engine) as conn:
        progress = load_progress(conn)["messages"]

    assert all(row.message == EMPTY_MESSAGE for row in shop.rows(core.Delivery) if row.id > 40)
    assert (progress.left_behind, all(row.message["data"] for row in shop.rows(core.Delivery) if row.id <= 40)) == (
        1,
        True,
    )


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_slice_holds_as_many_as_it_may_that_go(size):
    rows = [BLOCKED, OLD, OLD, YOUNG]

    part = take_slice(rows, size)

    assert list(part) == rows[: {1: 2, 2: 3, 5: 4}[size]]


def test_a_slice_that_holds_the_lock_for_too_long_is_broken_off_and_repeated_with_less(quick):
    sold = sell_and_send(quick)
    orders(sold, 60)
    with writing(sold.engine) as conn:
        conn.execute(update(RetentionProgress).values(slice_size=60))
        conn.execute(insert(RetentionProgress).values(kind="events", slice_size=60, cursor=0, deleted=0))
    sold.send_all()

    class Slow(FakeSeconds):
        """Every look at the clock costs 20 ms, and SQLite looks every 2,000 steps."""

        def monotonic(self):
            self.now += 0.02
            return self.now

    for _ in range(20):
        sold.sweep(401, Slow())

    with reading(sold.engine) as conn:
        assert load_progress(conn)["events"].slice_size < 60
    assert sold.count(core.Event, PastEvent) == [0, 61]


def test_a_slice_size_follows_the_time_of_the_last_slice():
    size = SliceSize(100)
    sizes = []
    for took in (0.001, 0.015, 0.1, 10.0, 1.0):
        size.adjust(size.size, took)
        sizes.append(size.size)

    assert sizes == [200, 200, 30, 1, 1]


@pytest.mark.parametrize(("work_s", "commit_s", "size"), [(0.01, 0.02, 150), (0.014, 0.05, 50), (0.004, 0.06, 200)])
def test_a_slow_commit_makes_a_slice_smaller_only_if_that_can_help(work_s, commit_s, size):
    slices = SliceSize(100)

    slices.adjust(100, work_s, commit_s)

    assert slices.size == size
