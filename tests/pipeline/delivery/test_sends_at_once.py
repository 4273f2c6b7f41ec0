"""No more sends are in progress than a platform allows at once; the others wait, in their order."""

from __future__ import annotations

from random import Random

from pipeline.delivery.lane_run import BUSY_REASON, BUSY_S
from pipeline.delivery.slow_lanes import acquire_any
from tests.pipeline.delivery.lane_setup import SECOND, LaneSetup

SLOTS = ("first", "second")


def test_a_lane_waits_while_all_slots_are_taken(lane_setup: LaneSetup):
    lane_setup.slots = SLOTS
    lane_setup.add(2)

    with acquire_any(lane_setup.redis, SLOTS, Random(1)), acquire_any(lane_setup.redis, SLOTS, Random(2)):
        report = lane_setup.run()

    assert (report.stopped, lane_setup.destination.sends) == ("waiting", [])
    assert lane_setup.statuses() == ["pending", "pending"]
    assert lane_setup.lane_row().reason == BUSY_REASON


def test_it_sends_once_a_slot_is_free_and_gives_it_back(lane_setup: LaneSetup):
    lane_setup.slots = SLOTS
    lane_setup.add(2)
    with acquire_any(lane_setup.redis, SLOTS, Random(1)), acquire_any(lane_setup.redis, SLOTS, Random(2)):
        lane_setup.run()
    lane_setup.now += round(BUSY_S * SECOND)

    lane_setup.run()

    assert lane_setup.statuses() == ["sent", "sent"]
    assert lane_setup.redis.exists(*SLOTS) == 0
