from __future__ import annotations

import pytest

from pipeline.core.backoff import MAX_BACKOFF_S
from pipeline.core.messages import RetryAfter, Sent
from pipeline.delivery.open_connection import LaneReport
from tests.pipeline.delivery.fake_destination import always, reply
from tests.pipeline.delivery.lane_setup import SECOND, LaneSetup

BUSY = RetryAfter(None, "answered 503")


def test_after_a_failure_that_passes_the_lane_waits_and_keeps_the_rest(bench: LaneSetup):
    bench.add(6)
    bench.destination.next.append(lambda _: reply([Sent(), BUSY, BUSY, BUSY], 503))

    report = bench.run()

    assert (report.stopped, report.sent) == ("waiting", 1)
    assert bench.statuses() == ["sent", *["pending"] * 5]
    assert bench.lane_row() == (1, report.next_attempt_at, "answered 503")
    assert report.next_attempt_at is not None
    assert bench.now <= report.next_attempt_at <= bench.now + MAX_BACKOFF_S * SECOND


def test_a_lane_that_waits_is_not_hurried(bench: LaneSetup):
    bench.add()
    bench.destination.next.append(always(RetryAfter(30.0, "answered 429"), 429))
    waiting = bench.run()

    assert bench.run() == LaneReport("waiting", next_attempt_at=waiting.next_attempt_at)
    assert len(bench.destination.sends) == 1


def test_the_time_the_platform_asked_for_is_kept(bench: LaneSetup):
    bench.add()
    bench.destination.next.append(always(RetryAfter(30.0, "answered 429"), 429))

    assert bench.run().next_attempt_at == bench.now + 30 * SECOND


def test_failures_in_a_row_are_counted_and_forgotten_after_a_success(bench: LaneSetup):
    bench.add()
    bench.destination.next.extend([always(BUSY), always(BUSY)])
    counts = []
    for _ in range(3):
        bench.now = bench.run().next_attempt_at or bench.now
        counts.append(bench.lane_row().attempts)

    assert counts == [1, 2, 0]
    assert bench.lane_row() == (0, 0, None)


def test_a_failure_after_some_went_through_counts_as_the_first(bench: LaneSetup):
    bench.add(2)
    bench.destination.next.extend([always(BUSY), always(BUSY), lambda _: reply([Sent(), BUSY])])
    for _ in range(3):
        bench.now = bench.run().next_attempt_at or bench.now

    assert bench.lane_row().attempts == 1


def test_a_failure_after_a_whole_batch_went_through_counts_as_the_first(bench: LaneSetup):
    bench.add(5)
    bench.destination.next.extend([always(BUSY), always(Sent()), always(BUSY)])
    bench.now = bench.run().next_attempt_at or bench.now
    bench.run()

    assert bench.lane_row().attempts == 1


@pytest.mark.parametrize("seconds", [30.0, None])
def test_a_429_pauses_the_accounts_budget(bench: LaneSetup, seconds: float | None):
    bench.add()
    bench.destination.next.append(always(RetryAfter(seconds, "answered 429"), 200, 429))
    bench.run()

    assert (bench.budget.pauses, bench.budget.successes) == ([seconds], 0)


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_time_named_with_another_failure_rests_the_account_and_leaves_its_rate(bench: LaneSetup, status: int):
    bench.add()
    bench.destination.next.append(always(RetryAfter(30.0, f"answered {status}"), status))
    bench.run()

    assert (bench.budget.rests, bench.budget.pauses, bench.budget.successes) == ([30.0], [], 0)


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_a_failure_that_names_no_time_to_come_concerns_only_its_lane(bench: LaneSetup, seconds: float | None):
    bench.add()
    bench.destination.next.append(always(RetryAfter(seconds, "answered 503"), 503))
    bench.run()

    assert (bench.budget.rests, bench.budget.pauses, bench.budget.successes) == ([], [], 0)


def test_a_send_that_went_through_lets_the_rate_creep_up(bench: LaneSetup):
    bench.add(5)
    bench.run()

    assert bench.budget.successes == 2


def test_calls_beyond_the_first_are_paid_with_the_next_send(bench: LaneSetup):
    bench.add(9)
    bench.destination.next.append(always(Sent(), 400, 200, 200))
    bench.run()

    assert bench.budget.costs == [1, 3, 1]


def test_an_exhausted_budget_lets_the_lane_wait_without_a_failure(bench: LaneSetup):
    bench.add()
    bench.budget.waits.append(2.5)

    report = bench.run()

    assert report == LaneReport("waiting", next_attempt_at=bench.now + round(2.5 * SECOND))
    assert bench.lane_row() == (0, report.next_attempt_at, "waits for the account's rate budget")
    assert bench.statuses() == ["pending"]
