"""A claim changes no delivery: what is being sent is known from the lane, also to those who would stop it."""

from __future__ import annotations

from sqlalchemy import select, update

from pipeline.core.messages import BACKFILL_PRIORITY, RetryAfter, Sent
from pipeline.ledger.deliveries import LaneClaim, acquire_lane, claim_lanes, settle, stop_pending
from pipeline.ledger.deliveries.status import STATUS_NOW
from pipeline.ledger.deliveries.stopped import stop_messages
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.deliveries import list_calls
from pipeline.ledger.schema import core
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.deliveries.test_claim_and_settle import CALL, add, claimed
from tests.pipeline.ledger.rows import NOW, delivery, statuses


def statuses_now(shop: StoreSetup) -> list[str]:
    with reading(shop.engine) as conn:
        return list(conn.execute(select(STATUS_NOW).select_from(core.Delivery).order_by(core.Delivery.id)).scalars())


def test_a_claim_writes_no_delivery(shop):
    (delivery_id,) = add(shop)
    with reading(shop.engine) as conn:
        before = delivery(conn, delivery_id)
    claimed(shop)

    with reading(shop.engine) as conn:
        assert delivery(conn, delivery_id) == before


def test_a_claimed_delivery_is_shown_as_being_sent_until_it_is_settled(shop):
    (delivery_id, _) = add(shop, 2)
    shown = []
    taken, _ = claimed(shop, 1)
    shown.append(statuses_now(shop))
    with writing(shop.engine) as conn:
        settle(conn, taken, [(delivery_id, RetryAfter(None, "answered 503"))], [], NOW)
    shown.append(statuses_now(shop))

    assert shown == [["sending", "pending"], ["pending", "pending"]]


def test_a_backfilled_delivery_is_not_shown_as_being_sent_because_a_later_live_one_is(shop):
    add(shop, priority=BACKFILL_PRIORITY)
    add(shop)
    claimed(shop)

    assert statuses_now(shop) == ["pending", "sending"]


def test_what_a_holder_of_an_earlier_version_takes_over_is_not_shown_as_being_sent(shop):
    add(shop)
    claimed(shop)
    with writing(shop.engine) as conn:
        conn.execute(update(core.Lane).values(token=core.Lane.token + 1))  # all that such a holder writes

    assert statuses_now(shop) == ["pending"]


def test_what_is_being_sent_is_not_withheld_when_its_person_is(shop):
    first, *_ = add(shop, 2)
    taken, _ = claimed(shop, 1)
    with writing(shop.engine) as conn:
        stopped = stop_pending(conn, {shop.person_id: "marketplace"}, NOW)
    with writing(shop.engine) as conn:
        settle(conn, taken, [(first, Sent())], [], NOW)

    with reading(shop.engine) as conn:
        assert (stopped, statuses(conn)) == (1, ["sent", "withheld"])


def test_what_could_not_be_sent_of_a_withheld_person_is_stopped_by_the_next_claim(shop):
    (delivery_id,) = add(shop)
    taken, _ = claimed(shop)
    with writing(shop.engine) as conn:
        conn.execute(update(core.Person).values(withheld="marketplace"))
        stop_pending(conn, {shop.person_id: "marketplace"}, NOW)
        settle(conn, taken, [(delivery_id, RetryAfter(None, "answered 503"))], [], NOW)

    assert claimed(shop)[1] == []
    with reading(shop.engine) as conn:
        assert statuses(conn) == ["withheld"]


def test_what_was_being_sent_when_its_person_was_erased_stays_stopped(shop):
    (delivery_id,) = add(shop)
    taken, _ = claimed(shop)
    with writing(shop.engine) as conn:
        stop_messages(conn, shop.person_id, NOW)
        settle(conn, taken, [(delivery_id, Sent())], [], NOW)

    with reading(shop.engine) as conn:
        assert statuses(conn) == ["stopped"]


def test_settling_a_message_twice_that_waits_again_counts_one_attempt(shop):
    (delivery_id,) = add(shop)
    taken, _ = claimed(shop)
    for _ in range(2):
        with writing(shop.engine) as conn:
            settle(conn, taken, [(delivery_id, RetryAfter(None, "answered 503"))], [CALL], NOW)

    with reading(shop.engine) as conn:
        assert (delivery(conn, delivery_id).attempts, len(list_calls(conn, [delivery_id]))) == (1, 1)


def test_a_delivery_that_an_earlier_version_began_to_send_is_claimed_in_its_place(shop):
    ids = [*add(shop, status="sending", token=7), *add(shop)]

    _, messages = claimed(shop)

    assert [message.delivery_id for message in messages] == ids


def test_what_an_earlier_holder_began_after_the_lane_was_read_is_claimed_first(shop):
    """A worker of an earlier version that was stopped for long claims with its token until another takes the lane."""
    with writing(shop.engine) as conn:
        old = acquire_lane(conn, shop.link.id, 0, NOW)
    ids = [*add(shop, status="sending", token=old.token), *add(shop)]
    wanted = LaneClaim(*old.id, old.token, is_held=False, limit=10)

    with writing(shop.engine) as conn:
        claims = claim_lanes(conn, [wanted], NOW)

    assert [message.delivery_id for message in claims.messages[old.id]] == ids
