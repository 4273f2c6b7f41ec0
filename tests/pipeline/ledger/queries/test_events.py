"""Lists of events, page by page, and one event with everything about it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert

from pipeline.core.messages import CallRecord, Sent
from pipeline.ledger.deliveries import acquire_lane, claim, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import EventFilter, EventRecipient, get_event, list_events
from pipeline.ledger.schema import core
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_deliveries, add_event, add_store


def listed(shop: StoreSetup, wanted: EventFilter | None = None, **page: int) -> list[int]:
    with reading(shop.engine) as conn:
        return [event.id for event in list_events(conn, wanted, **page)]


@pytest.fixture
def five(shop: StoreSetup) -> list[int]:
    with writing(shop.engine) as conn:
        return [add_event(conn, shop.store.id, number) for number in range(5)]


def test_the_newest_events_come_first(shop, five):
    assert listed(shop) == five[::-1]


def test_pages_follow_each_other_without_a_gap(shop, five):
    first = listed(shop, limit=2)
    second = listed(shop, before=first[-1], limit=2)
    third = listed(shop, before=second[-1], limit=2)

    assert first + second + third == five[::-1]


@pytest.mark.parametrize(
    ("wanted", "special"),
    [
        (EventFilter(name="customer_new"), {"name": "customer_new"}),
        (EventFilter(outcome="nobody"), {"outcome": "nobody"}),
        (EventFilter(source="reconcile"), {"source": "reconcile"}),
        (EventFilter(subject=("shipment", 8)), {"subject": "shipment", "subject_id": 8}),
        (EventFilter(store="sunny-box", name="x", source="replay"), {"name": "x", "source": "replay"}),
    ],
    ids=["name", "outcome", "source", "subject", "several"],
)
def test_a_filter_leaves_only_matching_events(shop, five, wanted, special):
    with writing(shop.engine) as conn:
        asked_for = add_event(conn, shop.store.id, 99, **special)

    assert listed(shop, wanted) == [asked_for]


def test_a_store_has_its_own_events(shop, five):
    with writing(shop.engine) as conn:
        add_event(conn, add_store(conn, "moon-box").id, 1)

    assert listed(shop, EventFilter(store="sunny-box")) == five[::-1]


def test_an_unknown_store_has_no_events(shop, five):
    assert listed(shop, EventFilter(store="no-box")) == []


def test_a_person_has_the_events_that_concern_them(shop, five):
    with writing(shop.engine) as conn:
        row = {"event_id": five[2], "person_id": shop.person_id}
        roles = [{**row, "role": role} for role in ("customer", "gift_recipient")]
        conn.execute(insert(core.EventPerson), roles)

    assert listed(shop, EventFilter(person_id=shop.person_id)) == [five[2]]


@pytest.mark.parametrize("name", ["ulid-3", "receipt-3"])
def test_an_event_is_found_by_its_ulid_and_receipt(shop, five, name):
    with reading(shop.engine) as conn:
        shown = get_event(conn, name)

    assert shown is not None
    assert shown.event.id == five[3]


@pytest.mark.parametrize("missing", [999, "ulid-999"])
def test_an_event_that_does_not_exist_is_none(shop, missing):
    with reading(shop.engine) as conn:
        assert get_event(conn, missing) is None


def test_an_event_has_its_raw_bytes(shop):
    with writing(shop.engine) as conn:
        shown = get_event(conn, add_event(conn, shop.store.id, raw=b'"{\\"id\\": 1}"'))

    assert shown is not None
    assert shown.raw == b'"{\\"id\\": 1}"'


def test_an_event_whose_body_was_deleted_is_found(shop, five):
    with writing(shop.engine) as conn:
        conn.execute(delete(core.Body))
        shown = get_event(conn, five[0])

    assert shown is not None
    assert (shown.raw, shown.data) == (None, {"id": 0})


def test_an_event_has_its_people_and_why_they_get_no_message(shop, five):
    with writing(shop.engine) as conn:
        row = {"event_id": five[0], "person_id": shop.person_id, "role": "customer", "reason": "no_email"}
        conn.execute(insert(core.EventPerson).values(row))
        shown = get_event(conn, five[0])

    assert shown is not None
    assert shown.people == [EventRecipient(shop.person_id, "customer", None, "bea@example.com", "no_email")]


def test_an_event_has_its_deliveries_and_their_calls(shop, five):
    with writing(shop.engine) as conn:
        (delivery_id,) = add_deliveries(conn, shop.link, shop.person_id, event_id=five[0])
        taken = acquire_lane(conn, shop.link.id, 0, NOW)
        claim(conn, taken, 1)
        settle(conn, taken, [(delivery_id, Sent())], [CallRecord("POST", "/batch", 200, NOW, 9, 1)], NOW)
        shown = get_event(conn, five[0])

    assert shown is not None
    sent = [(item.id, item.platform, item.status) for item in shown.deliveries]
    calls = [(item.endpoint, item.status, item.delivery_ids) for item in shown.calls]
    assert (sent, calls) == ([(delivery_id, "customerio", "sent")], [("/batch", 200, (delivery_id,))])


def test_the_repr_of_an_event_shows_no_personal_data(shop):
    with writing(shop.engine) as conn:
        shown = get_event(conn, add_event(conn, shop.store.id, data={"email": "bea@example.com"}))

    assert "bea" not in repr(shown)
