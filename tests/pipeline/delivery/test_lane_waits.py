from __future__ import annotations

import pytest

from pipeline.core.backoff import MAX_BACKOFF_S
from pipeline.core.messages import RetryAfter, Sent
from pipeline.delivery.open_connection import LaneReport
from tests.pipeline.delivery.fake_destination import always, reply
from tests.pipeline.delivery.lane_setup import SECOND, LaneSetup

BUSY = RetryAfter(None, "answered 503")


@pytest.mark.on_both_databases
def test_after_a_failure_that_passes_the_lane_waits_and_keeps_the_rest(lane_setup: LaneSetup):
    lane_setup.add(6)
    lane_setup.destination.next.append(lambda _: reply([Sent(), BUSY, BUSY, BUSY], 503))

    report = lane_setup.run()

    assert (report.stopped, report.sent) == ("waiting", 1)
    assert lane_setup.statuses() == ["sent", *["pending"] * 5]
    assert lane_setup.lane_row() == (1, report.next_attempt_at, "answered 503")
    assert report.next_attempt_at is not None
    assert lane_setup.now <= report.next_attempt_at <= lane_setup.now + MAX_BACKOFF_S * SECOND


def test_a_waiting_lane_is_not_run_early(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.destination.next.append(always(RetryAfter(30.0, "answered 429"), 429))
    waiting = lane_setup.run()

    assert lane_setup.run() == LaneReport("waiting", next_attempt_at=waiting.next_attempt_at)
    assert len(lane_setup.destination.sends) == 1


def test_the_lane_waits_as_long_as_the_platform_asked_for(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.destination.next.append(always(RetryAfter(30.0, "answered 429"), 429))

    assert lane_setup.run().next_attempt_at == lane_setup.now + 30 * SECOND


def test_failures_in_a_row_are_counted_and_forgotten_after_a_success(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.destination.next.extend([always(BUSY), always(BUSY)])
    counts = []
    for _ in range(3):
        lane_setup.now = lane_setup.run().next_attempt_at or lane_setup.now
        counts.append(lane_setup.lane_row().attempts)

    assert counts == [1, 2, 0]
    assert lane_setup.lane_row() == (0, 0, None)


def test_a_failure_after_some_went_through_counts_as_the_first(lane_setup: LaneSetup):
    lane_setup.add(2)
    lane_setup.destination.next.extend([always(BUSY), always(BUSY), lambda _: reply([Sent(), BUSY])])
    for _ in range(3):
        lane_setup.now = lane_setup.run().next_attempt_at or lane_setup.now

    assert lane_setup.lane_row().attempts == 1


def test_a_failure_after_a_whole_batch_went_through_counts_as_the_first(lane_setup: LaneSetup):
    lane_setup.add(5)
    lane_setup.destination.next.extend([always(BUSY), always(Sent()), always(BUSY)])
    lane_setup.now = lane_setup.run().next_attempt_at or lane_setup.now
    lane_setup.run()

    assert lane_setup.lane_row().attempts == 1


@pytest.mark.parametrize("seconds", [30.0, None])
def test_a_429_pauses_the_accounts_budget(lane_setup: LaneSetup, seconds: float | None):
    lane_setup.add()
    lane_setup.destination.next.append(always(RetryAfter(seconds, "answered 429"), 200, 429))
    lane_setup.run()

    assert (lane_setup.budget.pauses, lane_setup.budget.successes) == ([seconds], 0)


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_retry_after_of_another_failure_holds_off_the_account_at_its_rate(lane_setup: LaneSetup, status: int):
    lane_setup.add()
    lane_setup.destination.next.append(always(RetryAfter(30.0, f"answered {status}"), status))
    lane_setup.run()

    assert (lane_setup.budget.hold_offs, lane_setup.budget.pauses, lane_setup.budget.successes) == ([30.0], [], 0)


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_a_failure_that_names_no_time_to_come_concerns_only_its_lane(lane_setup: LaneSetup, seconds: float | None):
    lane_setup.add()
    lane_setup.destination.next.append(always(RetryAfter(seconds, "answered 503"), 503))
    lane_setup.run()

    assert (lane_setup.budget.hold_offs, lane_setup.budget.pauses, lane_setup.budget.successes) == ([], [], 0)


def test_a_send_that_went_through_lets_the_rate_creep_up(lane_setup: LaneSetup):
    lane_setup.add(5)
    lane_setup.run()

    assert lane_setup.budget.successes == 2


@pytest.mark.on_both_databases
def test_calls_beyond_the_first_are_paid_with_the_next_send(lane_setup: LaneSetup):
    lane_setup.add(9)
    lane_setup.destination.next.append(always(Sent(), 400, 200, 200))
    lane_setup.run()

    assert lane_setup.budget.costs == [1, 3, 1]


def test_an_exhausted_budget_lets_the_lane_wait_without_a_failure(lane_setup: LaneSetup):
    lane_setup.add()
    lane_setup.budget.waits.append(2.5)

    report = lane_setup.run()

    assert report == LaneReport("waiting", next_attempt_at=lane_setup.now + round(2.5 * SECOND))
    assert lane_setup.lane_row() == (0, report.next_attempt_at, "waits for the account's rate budget")
    assert lane_setup.statuses() == ["pending"]
