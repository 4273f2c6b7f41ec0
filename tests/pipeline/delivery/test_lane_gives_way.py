"""What a backfill has written leaves after what hooks told, in small portions, and within its share of the rate."""

from __future__ import annotations

import pytest

from pipeline.core.messages import BACKFILL_PRIORITY, Sent
from pipeline.delivery import lane
from pipeline.delivery.open_connection import LaneReport
from pipeline.ledger.deliveries import promote_to_live
from pipeline.ledger.engine import writing
from tests.pipeline.delivery.fake_destination import always
from tests.pipeline.delivery.lane_setup import LaneSetup


def sent(bench):
    return [one for ids in bench.destination.sent_ids for one in ids]


def test_what_hooks_tell_leaves_before_what_was_there_earlier(bench: LaneSetup):
    backfilled = bench.add(2, priority=BACKFILL_PRIORITY)
    live = bench.add(2)

    bench.run()

    assert sent(bench) == [*live, *backfilled]


def test_live_news_leaves_with_the_next_send_and_not_after_the_rest(bench: LaneSetup):
    backfilled, live = bench.add(8, priority=BACKFILL_PRIORITY), []

    def told_meanwhile(messages):
        live.extend(bench.add())
        return always(Sent())(messages)

    bench.destination.next.append(told_meanwhile)
    bench.run()

    assert sent(bench) == [*backfilled[:4], *live, *backfilled[4:]]


def test_live_news_never_waits_for_a_large_portion(bench: LaneSetup, monkeypatch):
    monkeypatch.setattr(lane, "MAX_BACKFILL_BATCH", 3)
    bench.add(4, priority=BACKFILL_PRIORITY)
    bench.add(4)

    bench.run()

    assert [len(ids) for ids in bench.destination.sent_ids] == [4, 3, 1]


def test_beyond_its_share_it_stays_and_the_lane_need_not_wait(bench: LaneSetup):
    bench.add(8, priority=BACKFILL_PRIORITY)
    bench.share.waits.extend([0.0, 0.7, 0.7])

    assert bench.run() == LaneReport("yields", sent=4, calls=1)
    assert bench.lane_row() == (0, 0, None)


def test_live_news_that_comes_while_the_lane_is_left_does_not_wait_for_the_share(bench: LaneSetup):
    bench.add(4, priority=BACKFILL_PRIORITY)
    live = []

    def used_up(cost=1):
        if not live:
            live.extend(bench.add())
        return 0.7

    bench.share.acquire = used_up

    assert bench.run() == LaneReport("yields", sent=1, calls=1)
    assert sent(bench) == live


def test_only_what_gives_way_uses_the_share(bench: LaneSetup):
    bench.add(4)
    bench.run()

    assert (bench.share.costs, bench.budget.costs) == ([], [1])


@pytest.mark.parametrize("state", ["pending", "sending"])
def test_somebodys_backfilled_profile_leaves_before_live_news_of_them(bench: LaneSetup, state):
    """Even if it was being sent when its sender was killed."""
    bench.add(3, priority=BACKFILL_PRIORITY)
    theirs = bench.add(person=1, priority=BACKFILL_PRIORITY, status=state)
    live = bench.add(person=1)
    with writing(bench.engine) as conn:
        promote_to_live(conn, [bench.people[1]])

    bench.run()

    assert sent(bench)[:2] == [*theirs, *live]
