"""Which lanes are trusted not to hang, and how many of the others may run at once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from random import Random

import pytest

from pipeline.core.messages import RetryAfter, Sent
from pipeline.delivery.slow_lanes import SLOW_CALL_S, acquire_slot, count_free_slots, fast_lanes, record_latency
from tests.pipeline.delivery.fake_destination import always, reply
from tests.pipeline.delivery.lane_setup import LANE, LaneSetup

ONE, OTHER = (1, 0), (1, 1)
QUICK = reply([Sent()])
SLOW = replace(QUICK, calls=(*QUICK.calls, replace(QUICK.calls[0], duration_us=round(SLOW_CALL_S * 1_000_000))))


@pytest.fixture
def redis(redis_client):
    return redis_client


def test_a_lane_nobody_has_tried_is_not_trusted(redis):
    assert fast_lanes(redis, [ONE]) == set()


def test_a_quick_send_makes_a_lane_trusted_and_no_other(redis):
    record_latency(redis, ONE, QUICK)

    assert fast_lanes(redis, [ONE, OTHER]) == {ONE}


def test_one_slow_call_ends_the_trust(redis):
    record_latency(redis, ONE, QUICK)
    record_latency(redis, ONE, SLOW)

    assert fast_lanes(redis, [ONE]) == set()


def test_of_no_lanes_none_is_trusted(redis):
    assert fast_lanes(redis, []) == set()


def test_there_are_only_so_many_places(redis):
    with ExitStack() as stack:
        found = [stack.enter_context(acquire_slot(redis, 2, Random(number))) for number in range(3)]
        left = count_free_slots(redis, 2)

    assert (found, left, count_free_slots(redis, 2)) == ([True, True, False], 0, 2)


def test_a_place_is_given_back_by_whoever_fails(redis):
    with pytest.raises(ZeroDivisionError), acquire_slot(redis, 1, Random(1)):
        raise ZeroDivisionError

    assert count_free_slots(redis, 1) == 1


def test_a_lane_is_known_by_how_its_own_sends_went(bench: LaneSetup):
    bench.add(1)
    bench.run()
    after_a_quick_one = fast_lanes(bench.redis, [(bench.link.id, LANE)])
    bench.add(1)
    bench.destination.next.append(lambda messages: replace(SLOW, outcomes=(Sent(),) * len(messages)))
    bench.run()

    assert (len(after_a_quick_one), fast_lanes(bench.redis, [(bench.link.id, LANE)])) == (1, set())


def test_a_refusal_that_comes_quickly_costs_no_trust(bench: LaneSetup):
    bench.add(1)
    bench.destination.next.append(always(RetryAfter(None, "answered 503"), 503))
    bench.run()

    assert fast_lanes(bench.redis, [(bench.link.id, LANE)])
