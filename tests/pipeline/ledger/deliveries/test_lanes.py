"""Lanes: their holder, when they are due, and what earlier holders can no longer do."""

from __future__ import annotations

import pytest

from pipeline.core.errors import StaleFence
from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY, Sent
from pipeline.ledger.deliveries import (
    HeldLane,
    LaneState,
    acquire_lane,
    claim,
    clear_lane,
    find_next_priority,
    list_due_lanes,
    pause_connection,
    peek_lane,
    postpone_lane,
    resume_connection,
    settle,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import count_by_connection
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_store, statuses


def take(shop: StoreSetup, lane: int = 0) -> HeldLane:
    with writing(shop.engine) as conn:
        return acquire_lane(conn, shop.link.id, lane, NOW)


def due(shop: StoreSetup, now: int = NOW) -> list[tuple[int, int]]:
    with reading(shop.engine) as conn:
        return list_due_lanes(conn, now)


def test_a_new_lane_begins_with_token_one(shop):
    assert take(shop) == HeldLane(shop.link.id, 0, token=1, next_attempt_at=0, attempts=0)


def test_every_holder_gets_a_greater_token(shop):
    assert [take(shop).token for _ in range(3)] == [1, 2, 3]


def test_a_new_holder_gets_the_failures_of_the_lane(shop):
    with writing(shop.engine) as conn:
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW + 5, 3, "http_503")

    taken = take(shop)

    assert (taken.next_attempt_at, taken.attempts) == (NOW + 5, 3)


def test_what_a_lost_holder_was_sending_is_pending_again(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 3)
        claim(conn, acquire_lane(conn, shop.link.id, 0, NOW), 2)

    take(shop)

    with reading(shop.engine) as conn:
        assert statuses(conn) == ["pending"] * 3


def test_acquiring_a_lane_leaves_other_lanes_alone(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, lane=1)
        claim(conn, acquire_lane(conn, shop.link.id, 1, NOW), 1)

    take(shop, lane=0)

    with reading(shop.engine) as conn:
        assert count_by_connection(conn, NOW)[0].sending == 1


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda conn, taken: claim(conn, taken, 1), id="claim"),
        pytest.param(lambda conn, taken: settle(conn, taken, [(1, Sent())], [], NOW), id="settle"),
        pytest.param(lambda conn, taken: postpone_lane(conn, taken, NOW, 1, "late"), id="postpone"),
        pytest.param(clear_lane, id="clear"),
    ],
)
def test_an_older_holder_is_refused(shop, act):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
    old = take(shop)
    take(shop)

    with pytest.raises(StaleFence), writing(shop.engine) as conn:
        act(conn, old)


def test_a_lane_that_was_never_acquired_has_no_holder(shop):
    with pytest.raises(StaleFence), writing(shop.engine) as conn:
        claim(conn, HeldLane(shop.link.id, 0, token=1, next_attempt_at=0, attempts=0), 1)


def test_an_empty_lane_is_not_due(shop):
    take(shop)

    assert due(shop) == []


def test_every_lane_with_open_deliveries_is_due(shop):
    with writing(shop.engine) as conn:
        for lane in (0, 2, 7):
            add_deliveries(conn, shop.link, shop.person_id, 2, lane=lane)
        other = add_connection(conn, add_store(conn, "other").id)
        add_deliveries(conn, other, shop.person_id, lane=1)

    assert due(shop) == [(shop.link.id, 0), (shop.link.id, 2), (shop.link.id, 7), (other.id, 1)]


def test_only_lanes_of_the_given_connections_are_due(shop):
    with writing(shop.engine) as conn:
        others = [add_connection(conn, add_store(conn, name).id) for name in ("second", "third")]
        for link in (shop.link, *others):
            add_deliveries(conn, link, shop.person_id)
        asked = [others[1].id, shop.link.id]

        assert list_due_lanes(conn, NOW, asked) == [(shop.link.id, 0), (others[1].id, 0)]
        assert list_due_lanes(conn, NOW, []) == []


def test_lanes_after_those_of_a_paused_connection_are_due(shop):
    with writing(shop.engine) as conn:
        others = [add_connection(conn, add_store(conn, name).id) for name in ("second", "third")]
        for link in (shop.link, others[1]):
            add_deliveries(conn, link, shop.person_id)
        pause_connection(conn, shop.link.id, "http_401", NOW)

    assert due(shop) == [(others[1].id, 0)]


def test_a_postponed_lane_is_due_when_its_time_has_come(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW + 10, 1, "http_503")

    assert (due(shop, NOW + 9), due(shop, NOW + 10)) == ([], [(shop.link.id, 0)])


def test_a_cleared_lane_is_due_at_once(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        postpone_lane(conn, taken, NOW + 10, 1, "http_503")
        clear_lane(conn, taken)

    assert due(shop) == [(shop.link.id, 0)]


def test_a_lane_whose_holder_died_while_sending_is_due(shop):
    """Only the lease knows whether the holder is alive; the ledger must list the lane."""
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
        claim(conn, acquire_lane(conn, shop.link.id, 0, NOW), 1)

    assert due(shop) == [(shop.link.id, 0)]


def test_a_paused_connection_has_no_due_lane(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
        pause_connection(conn, shop.link.id, "http_401", NOW)

    assert due(shop) == []


def test_the_lanes_of_a_resumed_connection_are_due_at_once(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW + 10, 1, "http_503")
        pause_connection(conn, shop.link.id, "http_401", NOW)
        resume_connection(conn, shop.link.id, NOW)

    assert due(shop) == [(shop.link.id, 0)]


def test_a_lane_has_a_next_priority_until_it_is_empty(shop):
    with writing(shop.engine) as conn:
        (delivery_id,) = add_deliveries(conn, shop.link, shop.person_id)
        before = find_next_priority(conn, shop.link.id, 0), find_next_priority(conn, shop.link.id, 1)
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        claim(conn, taken, 1)
        settle(conn, taken, [(delivery_id, Sent())], [], NOW)
        after = find_next_priority(conn, shop.link.id, 0)

    assert (before, after) == ((LIVE_PRIORITY, None), None)


def test_a_paused_connection_has_no_next_priority(shop):
    """Otherwise a holder would check the lane again for ever."""
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id)
        pause_connection(conn, shop.link.id, "http_401", NOW)

        assert find_next_priority(conn, shop.link.id, 0) is None


def look(shop: StoreSetup) -> LaneState:
    with reading(shop.engine) as conn:
        return peek_lane(conn, shop.link.id, 0)


def test_peeking_finds_the_first_priority_of_a_new_lane(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 1, priority=BACKFILL_PRIORITY)
        add_deliveries(conn, shop.link, shop.person_id, 1, priority=LIVE_PRIORITY, lane=1)

    assert look(shop) == LaneState(BACKFILL_PRIORITY)


def test_peeking_finds_what_a_lost_holder_was_sending_first(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 1)
        claim(conn, acquire_lane(conn, shop.link.id, 0, NOW), 10)
        add_deliveries(conn, shop.link, shop.person_id, 1, priority=BACKFILL_PRIORITY)

    assert look(shop) == LaneState(LIVE_PRIORITY, token=1)


def test_peeking_shows_when_the_lane_is_due_and_its_failures(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 1)
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW + 5, 3, "answered 503")

    assert look(shop) == LaneState(LIVE_PRIORITY, NOW + 5, 3, token=1)


def test_peeking_finds_nothing_while_the_connection_is_paused(shop):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 1)
        pause_connection(conn, shop.link.id, "refused", NOW)

    assert look(shop) == LaneState()


@pytest.mark.parametrize("held", [0, 1])
def test_acquiring_with_an_outdated_token_changes_nothing(shop, held):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, 1)
        for _ in range(held):
            acquire_lane(conn, shop.link.id, 0, NOW)
    seen = look(shop)
    with writing(shop.engine) as conn:
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        claim(conn, taken, 10)

    with pytest.raises(StaleFence), writing(shop.engine) as conn:
        acquire_lane(conn, shop.link.id, 0, NOW, seen.token)

    assert look(shop).token == taken.token
