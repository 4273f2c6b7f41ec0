"""Which lanes count as fast, and how many slow ones may run at once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from random import Random

import pytest

from pipeline.core.messages import RetryAfter, Sent
from pipeline.delivery.slow_lanes import SLOW_CALL_S, acquire_slot, count_free_slots, fast_lanes, record_latencies
from tests.pipeline.delivery.fake_destination import always, reply
from tests.pipeline.delivery.lane_setup import LANE, LaneSetup

ONE, OTHER = (1, 0), (1, 1)
QUICK = reply([Sent()])
SLOW = replace(QUICK, calls=(*QUICK.calls, replace(QUICK.calls[0], duration_us=round(SLOW_CALL_S * 1_000_000))))


@pytest.fixture
def redis(redis_client):
    return redis_client


def test_an_untested_lane_is_not_fast(redis):
    assert fast_lanes(redis, [ONE]) == set()


def test_a_fast_send_makes_its_lane_fast_and_no_other(redis):
    record_latencies(redis, {ONE: QUICK})

    assert fast_lanes(redis, [ONE, OTHER]) == {ONE}


def test_a_slow_call_makes_a_lane_slow(redis):
    record_latencies(redis, {ONE: QUICK})
    record_latencies(redis, {ONE: SLOW})

    assert fast_lanes(redis, [ONE]) == set()


def test_no_lanes_give_no_fast_lanes(redis):
    assert fast_lanes(redis, []) == set()


def test_the_number_of_slots_is_limited(redis):
    with ExitStack() as stack:
        found = [stack.enter_context(acquire_slot(redis, 2, Random(number))) for number in range(3)]
        left = count_free_slots(redis, 2)

    assert (found, left, count_free_slots(redis, 2)) == ([True, True, False], 0, 2)


def test_a_slot_is_released_when_the_block_raises(redis):
    with pytest.raises(ZeroDivisionError), acquire_slot(redis, 1, Random(1)):
        raise ZeroDivisionError

    assert count_free_slots(redis, 1) == 1


def test_a_lane_is_known_by_how_its_own_sends_went(lane_setup: LaneSetup):
    lane_setup.add(1)
    lane_setup.run()
    after_a_quick_one = fast_lanes(lane_setup.redis, [(lane_setup.connection.id, LANE)])
    lane_setup.add(1)
    lane_setup.destination.next.append(lambda messages: replace(SLOW, outcomes=(Sent(),) * len(messages)))
    lane_setup.run()

    assert (len(after_a_quick_one), fast_lanes(lane_setup.redis, [(lane_setup.connection.id, LANE)])) == (1, set())


def test_a_fast_refusal_keeps_a_lane_fast(lane_setup: LaneSetup):
    lane_setup.add(1)
    lane_setup.destination.next.append(always(RetryAfter(None, "answered 503"), 503))
    lane_setup.run()

    assert fast_lanes(lane_setup.redis, [(lane_setup.connection.id, LANE)])
