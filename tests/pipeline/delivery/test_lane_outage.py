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


def sit_out(lane_setup: LaneSetup, status: int) -> int:
    """Attempt as often as the lane wants to until half an hour is over; say how often that was."""
    end, attempts = lane_setup.now + HALF_AN_HOUR, 0
    while lane_setup.now < end:
        lane_setup.destination.next.append(down(status))
        report = lane_setup.run()
        attempts += 1
        assert report.next_attempt_at is not None
        lane_setup.now = max(report.next_attempt_at, lane_setup.now + SECOND)
    return attempts


@pytest.mark.on_both_databases
@pytest.mark.parametrize("status", [500, 503])
def test_everything_leaves_in_order_at_the_first_attempt_after_half_an_hour(lane_setup: LaneSetup, status: int):
    ids = lane_setup.add(MESSAGES)
    sit_out(lane_setup, status)
    tried = len(lane_setup.destination.sends)

    assert lane_setup.run().sent == MESSAGES

    assert [sent for send in lane_setup.destination.sent_ids[tried:] for sent in send] == ids
    assert lane_setup.statuses() == ["sent"] * MESSAGES


def test_a_platform_that_is_down_is_asked_seldom(lane_setup: LaneSetup):
    lane_setup.add(MESSAGES)

    assert sit_out(lane_setup, 503) < MOST_ATTEMPTS


def test_a_platform_that_is_back_is_noticed_within_a_minute(lane_setup: LaneSetup):
    lane_setup.add(MESSAGES)
    sit_out(lane_setup, 503)
    lane_setup.destination.next.append(down(503))

    report = lane_setup.run()

    assert report.next_attempt_at is not None
    assert report.next_attempt_at - lane_setup.now <= MAX_BACKOFF_S * SECOND
