"""Claiming and settling deliveries: what is claimed, in which order, and what each outcome writes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pipeline.core.messages import (
    CallRecord,
    ConnectionBroken,
    Message,
    Outcome,
    PersonRef,
    Rejected,
    RetryAfter,
    Sent,
)
from pipeline.ledger.deliveries import (
    HeldLane,
    acquire_lane,
    claim,
    pause_connection,
    settle,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.deliveries import list_calls
from pipeline.ledger.schema import core
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_deliveries, add_event, add_person, delivery, statuses

CALL = CallRecord("POST", "/batch", 200, NOW, 1500, 2)


def claimed(shop: StoreSetup, limit: int = 10) -> tuple[HeldLane, list[Message]]:
    with writing(shop.engine) as conn:
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        return taken, claim(conn, taken, limit)


def send(shop: StoreSetup, outcomes: Sequence[Outcome], calls: Sequence[CallRecord] = ()) -> list[int]:
    """Claim as many as there are outcomes and settle them; gives their ids."""
    taken, messages = claimed(shop, len(outcomes))
    ids = [message.delivery_id for message in messages]
    with writing(shop.engine) as conn:
        settle(conn, taken, list(zip(ids, outcomes, strict=True)), calls, NOW + 9)
    return ids


def add(shop: StoreSetup, count: int = 1, **more: object) -> list[int]:
    with writing(shop.engine) as conn:
        return add_deliveries(conn, shop.link, shop.person_id, count, **more)


def test_the_oldest_are_claimed_first_and_in_order(shop):
    ids = add(shop, 5)

    _, messages = claimed(shop, 3)

    assert [message.delivery_id for message in messages] == ids[:3]


def test_a_claim_continues_where_the_last_claim_was_settled(shop):
    ids = add(shop, 5)
    taken, first = claimed(shop, 3)

    with writing(shop.engine) as conn:
        settle(conn, taken, [(message.delivery_id, Sent()) for message in first], [], NOW)
        rest = claim(conn, taken, 3)

    assert [message.delivery_id for message in rest] == ids[3:]


def test_a_message_carries_everything_a_destination_needs(shop):
    with writing(shop.engine) as conn:
        event_id = add_event(conn, shop.link.store_id)
    (delivery_id,) = add(
        shop,
        event_id=event_id,
        message_id="01J",
        message={"customer_id": 7, "email": "b@x.io", "at": 5, "data": {"a": 1}},
    )

    _, messages = claimed(shop)

    person = PersonRef(shop.person_id, 7, "b@x.io")
    written = ("event", 5, {"a": 1}, "order_new", "01J")
    assert messages == [Message(delivery_id, person, *written, has_profile=False, written_at=NOW, event_id=event_id)]


def test_nothing_is_claimed_from_another_lane(shop):
    add(shop, lane=1)

    assert claimed(shop)[1] == []


def test_nothing_is_claimed_while_the_connection_is_paused(shop):
    add(shop)
    with writing(shop.engine) as conn:
        pause_connection(conn, shop.link.id, "http_401", NOW)

    assert claimed(shop)[1] == []


def test_an_attempt_counts_when_it_has_an_outcome(shop):
    (delivery_id,) = add(shop)
    claimed(shop)
    send(shop, [RetryAfter(None, "answered 503")])
    send(shop, [Sent()])

    with reading(shop.engine) as conn:
        assert delivery(conn, delivery_id).attempts == 2


def test_a_sent_delivery_is_done(shop):
    add(shop)

    (delivery_id,) = send(shop, [Sent(("value_cut",))])

    with reading(shop.engine) as conn:
        row = delivery(conn, delivery_id)
    assert (row.status, row.done_at, row.notes) == ("sent", NOW + 9, ["value_cut"])


def test_a_rejected_delivery_is_dead_with_its_reason(shop):
    add(shop)

    (delivery_id,) = send(shop, [Rejected("too_large", "120000 bytes")])

    with reading(shop.engine) as conn:
        row = delivery(conn, delivery_id)
    assert (row.status, row.reason, row.detail, row.done_at) == ("dead", "too_large", "120000 bytes", NOW + 9)


@pytest.mark.parametrize(
    "outcome", [RetryAfter(3.0, "http_503"), ConnectionBroken("http_503")], ids=["retry", "broken"]
)
def test_a_delivery_that_could_not_be_sent_is_pending_with_its_reason(shop, outcome):
    add(shop)

    (delivery_id,) = send(shop, [outcome])

    with reading(shop.engine) as conn:
        row = delivery(conn, delivery_id)
    assert (row.status, row.reason, row.done_at) == ("pending", "http_503", None)


def test_a_delivery_that_is_pending_again_keeps_its_place(shop):
    ids = add(shop, 3)

    send(shop, [Sent(), RetryAfter(None, "timeout")])

    assert [message.delivery_id for message in claimed(shop)[1]] == ids[1:]


def test_a_sent_delivery_has_no_reason(shop):
    add(shop)
    send(shop, [RetryAfter(None, "timeout")])

    (delivery_id,) = send(shop, [Sent()])

    with reading(shop.engine) as conn:
        assert delivery(conn, delivery_id).reason is None


def test_a_person_whose_profile_was_sent_has_a_profile(shop):
    add(shop, kind="profile")
    send(shop, [Sent()])
    add(shop)

    assert claimed(shop)[1][0].has_profile


@pytest.mark.parametrize(
    ("kind", "outcome"), [("event", Sent()), ("profile", Rejected("bad")), ("profile", RetryAfter(1, "503"))]
)
def test_only_a_sent_profile_marks_a_person(shop, kind, outcome):
    add(shop, kind=kind)
    send(shop, [outcome])
    add(shop)

    assert not claimed(shop)[1][0].has_profile


def test_a_sent_profile_marks_its_own_person_only(shop):
    add(shop, kind="profile")
    send(shop, [Sent()])
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, add_person(conn, shop.store.id, "rory@example.com"))

    assert not claimed(shop)[1][0].has_profile


def test_a_second_profile_is_not_marked_twice(shop):
    add(shop, 2, kind="profile")

    send(shop, [Sent(), Sent()])

    with reading(shop.engine) as conn:
        assert conn.execute(select(core.ProfileSent)).all() == [(shop.link.id, shop.person_id)]


def test_a_call_without_positions_carried_all_deliveries(shop):
    add(shop, 2)

    ids = send(shop, [Sent(), Sent()], [CALL])

    with reading(shop.engine) as conn:
        assert [call.delivery_ids for call in list_calls(conn, ids)] == [tuple(ids)]


def test_a_call_belongs_to_the_deliveries_it_carried(shop):
    add(shop, 2)
    calls = [CallRecord("POST", "/batch", 200, NOW, 9, 1, message_positions=(position,)) for position in (1, 0)]

    ids = send(shop, [Sent(), Sent()], calls)

    with reading(shop.engine) as conn:
        assert [call.delivery_ids for call in list_calls(conn, ids)] == [(ids[1],), (ids[0],)]


def test_every_attempt_keeps_its_call(shop):
    (delivery_id,) = add(shop)
    send(shop, [RetryAfter(None, "http_503")], [CallRecord("POST", "/batch", 503, NOW, 9, 1)])
    send(shop, [Sent()], [CALL])

    with reading(shop.engine) as conn:
        assert [call.status for call in list_calls(conn, [delivery_id])] == [503, 200]


def test_settling_twice_changes_nothing(shop):
    """A commit whose answer was lost is settled again."""
    add(shop, kind="profile")
    taken, messages = claimed(shop)
    for _ in range(2):
        with writing(shop.engine) as conn:
            settle(conn, taken, [(messages[0].delivery_id, Sent())], [CALL], NOW)

    with reading(shop.engine) as conn:
        counted = conn.execute(select(core.Lane.sent)).scalar_one(), len(conn.execute(select(core.Call)).all())
    assert counted == (1, 1)


def test_a_holder_cannot_settle_what_it_did_not_claim(shop):
    (delivery_id,) = add(shop)
    taken, _ = claimed(shop, 0)

    with writing(shop.engine) as conn:
        settle(conn, taken, [(delivery_id, Sent())], [], NOW)

    with reading(shop.engine) as conn:
        assert statuses(conn) == ["pending"]


def test_a_delivery_cannot_be_done_and_waiting(shop):
    (delivery_id,) = add(shop)

    with pytest.raises(IntegrityError), writing(shop.engine) as conn:
        conn.execute(update(core.Delivery).where(core.Delivery.id == delivery_id).values(status="sent"))


def test_the_same_message_is_written_once_per_connection(shop):
    add(shop, message_id="01J")

    with pytest.raises(IntegrityError):
        add(shop, message_id="01J")
