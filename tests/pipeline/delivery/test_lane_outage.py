"""A platform that is down for half an hour, on a clock that jumps from one attempt to the next."""

from __future__ import annotations

import pytest

from pipeline.core.backoff import MAX_BACKOFF_S
from pipeline.core.messages import RetryAfter
from tests.pipeline.delivery.fake_destination import Behaviour, always
from tests.pipeline.delivery.lane_setup import SECOND, LaneSetup

HALF_AN_HOUR = 1_800 * SECOND
MOST_ATTEMPTS = 200
MESSAGES = 10


def down(status: int) -> Behaviour:
    return always(RetryAfter(None, f"answered {status}"), status)


def sit_out(bench: LaneSetup, status: int) -> int:
    """Attempt as often as the lane wants to until half an hour is over; say how often that was."""
    end, attempts = bench.now + HALF_AN_HOUR, 0
    while bench.now < end:
        bench.destination.next.append(down(status))
        report = bench.run()
        attempts += 1
        assert report.next_attempt_at is not None
        bench.now = max(report.next_attempt_at, bench.now + SECOND)
    return attempts


@pytest.mark.parametrize("status", [500, 503])
def test_everything_leaves_in_order_at_the_first_attempt_after_half_an_hour(bench: LaneSetup, status: int):
    ids = bench.add(MESSAGES)
    sit_out(bench, status)
    tried = len(bench.destination.sends)

    assert bench.run().sent == MESSAGES

    assert [one for send in bench.destination.sent_ids[tried:] for one in send] == ids
    assert bench.statuses() == ["sent"] * MESSAGES


def test_a_platform_that_is_down_is_asked_seldom(bench: LaneSetup):
    bench.add(MESSAGES)

    assert sit_out(bench, 503) < MOST_ATTEMPTS


def test_a_platform_that_is_back_is_noticed_within_a_minute(bench: LaneSetup):
    bench.add(MESSAGES)
    sit_out(bench, 503)
    bench.destination.next.append(down(503))

    report = bench.run()

    assert report.next_attempt_at is not None
    assert report.next_attempt_at - bench.now <= MAX_BACKOFF_S * SECOND
