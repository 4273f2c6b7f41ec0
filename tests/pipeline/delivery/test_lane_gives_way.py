"""Backfill messages are sent after live messages, in small batches, and within their share of the rate."""

from __future__ import annotations

import pytest

from pipeline.core.messages import BACKFILL_PRIORITY, Sent
from pipeline.delivery import lane_run
from pipeline.delivery.open_connection import LaneReport
from pipeline.ledger.deliveries import promote_to_live
from pipeline.ledger.engine import writing
from tests.pipeline.delivery.fake_destination import always
from tests.pipeline.delivery.lane_setup import LaneSetup


def sent(lane_setup):
    return [one for ids in lane_setup.destination.sent_ids for one in ids]


def test_live_messages_are_sent_before_earlier_backfill_messages(lane_setup: LaneSetup):
    backfilled = lane_setup.add(2, priority=BACKFILL_PRIORITY)
    live = lane_setup.add(2)

    lane_setup.run()

    assert sent(lane_setup) == [*live, *backfilled]


def test_live_messages_are_in_the_next_send_and_not_after_the_backfill(lane_setup: LaneSetup):
    backfilled, live = lane_setup.add(8, priority=BACKFILL_PRIORITY), []

    def written_meanwhile(messages):
        live.extend(lane_setup.add())
        return always(Sent())(messages)

    lane_setup.destination.next.append(written_meanwhile)
    lane_setup.run()

    assert sent(lane_setup) == [*backfilled[:4], *live, *backfilled[4:]]


def test_live_messages_never_wait_for_a_large_batch(lane_setup: LaneSetup, monkeypatch):
    monkeypatch.setattr(lane_run, "MAX_BACKFILL_BATCH", 3)
    lane_setup.add(4, priority=BACKFILL_PRIORITY)
    lane_setup.add(4)

    lane_setup.run()

    assert [len(ids) for ids in lane_setup.destination.sent_ids] == [4, 3, 1]


def test_beyond_its_share_it_stays_and_the_lane_need_not_wait(lane_setup: LaneSetup):
    lane_setup.add(8, priority=BACKFILL_PRIORITY)
    lane_setup.backfill_budget.waits.extend([0.0, 0.7, 0.7])

    assert lane_setup.run() == LaneReport("yields", sent=4, calls=1)
    assert lane_setup.lane_row() == (0, 0, None)


@pytest.mark.on_both_databases
def test_a_live_message_written_while_the_lane_is_released_does_not_wait_for_the_backfill_budget(lane_setup: LaneSetup):
    lane_setup.add(4, priority=BACKFILL_PRIORITY)
    live = []

    def used_up(cost=1):
        if not live:
            live.extend(lane_setup.add())
        return 0.7

    lane_setup.backfill_budget.acquire = used_up

    assert lane_setup.run() == LaneReport("yields", sent=1, calls=1)
    assert sent(lane_setup) == live


@pytest.mark.on_both_databases
def test_only_what_gives_way_uses_the_share(lane_setup: LaneSetup):
    lane_setup.add(4)
    lane_setup.run()

    assert (lane_setup.backfill_budget.costs, lane_setup.budget.costs) == ([], [1])


@pytest.mark.parametrize("state", ["pending", "sending"])
def test_a_backfilled_profile_is_sent_before_live_messages_about_the_person(lane_setup: LaneSetup, state):
    """Even if it was being sent when its sender was killed."""
    lane_setup.add(3, priority=BACKFILL_PRIORITY)
    theirs = lane_setup.add(person=1, priority=BACKFILL_PRIORITY, status=state)
    live = lane_setup.add(person=1)
    with writing(lane_setup.engine) as conn:
        promote_to_live(conn, [lane_setup.people[1]])

    lane_setup.run()

    assert sent(lane_setup)[:2] == [*theirs, *live]
