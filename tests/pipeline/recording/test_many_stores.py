"""A batch about many stores looks up what it needs for all of them at once, and none is taken for another.

Two stores of an agency may well have the same numbers and the same customers.
"""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import event

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observation import LATE, MISSED, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.schema import core
from pipeline.ledger.schema.reconciliation import ObservedEvent
from pipeline.recording.load import find_existing_profiles
from tests.builders import BUYER, NOW, RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription
from tests.pipeline.recording.conftest import HookRecorder

BUYERS = BUYER["email"]
GIFT = subscription(subscription_gift_info=gift_info())


@pytest.fixture
def recorder(engine):
    """A recorder of two stores, `acme` and `bolt`, of which each has a connection."""
    recorder = HookRecorder(engine)
    recorder.add_store(2, "bolt")
    return recorder


def both(recorder, name, data, **of_bolt):
    """The same hook of each of the two stores; `of_bolt` is what differs at bolt."""
    return recorder.hook(name, data, store="acme"), recorder.hook(name, {**data, **of_bolt}, store="bolt")


def by_store(rows, value):
    return sorted((row.store_id, value(row)) for row in rows)


def test_the_event_of_one_store_is_new_from_another(recorder):
    recorder.record_one("order_new", order())
    found = recorder.record(*both(recorder, "order_new", order()))

    assert (found.events, found.duplicates) == (1, 1)
    assert by_store(recorder.rows(core.Event), lambda row: row.duplicates) == [(1, 1), (2, 0)]


def test_a_repeat_within_a_batch_is_counted_for_its_own_store(recorder):
    recorder.record(*both(recorder, "order_new", order()), recorder.hook("order_new", order(), store="bolt"))

    assert by_store(recorder.rows(core.Event), lambda row: row.duplicates) == [(1, 0), (2, 1)]


def test_a_hook_that_comes_late_is_late_in_its_own_store(recorder):
    recorder.record(*both(recorder, "order_new", order()))
    with writing(recorder.engine) as conn:
        for store_id in (1, 2):
            save_observations(conn, store_id, [Observation("order_new:7015", "order_new", 20_000, MISSED)], NOW)
    recorder.record(
        recorder.hook("order_new", order(), store="bolt"), recorder.hook("order_new", order(id=1), store="acme")
    )

    assert by_store(recorder.rows(ObservedEvent), lambda row: row.state) == [(1, MISSED), (2, LATE)]


def test_the_same_customer_of_two_stores_is_two_people(recorder):
    recorder.record(*both(recorder, "customer_new", customer()))
    recorder.record(*both(recorder, "address_updated", customer(), first_name="Bolt's"))

    names = by_store(recorder.rows(core.Person), lambda row: row.attributes["first_name"])
    assert names == [(1, "Bea"), (2, "Bolt's")]


def test_the_same_address_in_two_stores_leads_to_two_people(recorder):
    recorder.record(*both(recorder, "order_new", gift_order()))
    found = recorder.record(
        recorder.hook("customer_new", customer(id=7500, email=RECIPIENT), store="bolt"), *both(recorder, "x", {})
    )

    recipients = [row for row in recorder.rows(core.Person) if row.email == RECIPIENT]
    assert by_store(recipients, lambda row: row.customer_id or 0) == [(1, 0), (2, 7500)]
    assert found.connections == (11,)


def test_the_same_order_of_two_stores_leads_to_each_stores_customer(recorder):
    recorder.record(
        *both(recorder, "order_new", order(), customer=customer(id=8001, email="bo@example.com"), customer_id=8001)
    )
    recorder.record(
        *both(recorder, "transaction_new", {"transaction": {"id": 7041, "result": "captured"}, "order": {"id": 7015}})
    )

    rows = [row for row in recorder.rows(core.Delivery) if row.name == "transaction_new"]
    assert by_store(rows, lambda row: row.message["email"]) == [(1, BUYERS), (2, "bo@example.com")]


def test_a_gift_of_one_store_is_not_remembered_as_anothers(recorder):
    recorder.record_one("subscription_new", GIFT)
    recorder.record(*reversed(both(recorder, "shipment_shipped", shipment())))

    copies = [row for row in recorder.rows(core.Delivery) if row.name == "shipment_shipped"]
    assert by_store(copies, lambda row: row.message["email"]) == [(1, BUYERS), (1, RECIPIENT), (2, BUYERS)]


def test_gifts_of_two_stores_with_one_number_are_each_remembered(recorder):
    others = gift_info(gift_recipient_email="other@example.com")
    recorder.record(*both(recorder, "subscription_new", GIFT, subscription_gift_info=others))
    recorder.record(*both(recorder, "shipment_shipped", shipment()))

    copies = [row for row in recorder.rows(core.Delivery) if row.name == "shipment_shipped"]
    recipients = [row for row in copies if row.message["email"] != BUYERS]
    assert by_store(recipients, lambda row: row.message["email"]) == [(1, RECIPIENT), (2, "other@example.com")]


def test_a_gift_reported_late_finds_the_boxes_of_its_own_store_only(recorder):
    recorder.record(*both(recorder, "shipment_shipped", shipment()))
    recorder.record(
        recorder.hook("subscription_new", GIFT, store="bolt"), recorder.hook("customer_new", customer(), store="acme")
    )

    late = [row for row in recorder.rows(core.Delivery) if row.message["email"] == RECIPIENT and row.name]
    assert sorted((row.store_id, row.connection_id, row.name) for row in late) == [
        (2, 11, "shipment_shipped"),
        (2, 11, "subscription_new"),
    ]


def test_a_gift_reported_late_finds_no_boxes_of_a_store_that_is_not_in_the_batch(recorder):
    recorder.record_one("shipment_shipped", shipment())
    found = recorder.record_one("subscription_new", GIFT, store="bolt")

    assert (found.events, found.connections) == (1, (11,))


def test_the_same_persons_profile_is_known_at_each_stores_connection_only(recorder):
    recorder.record(*both(recorder, "customer_new", customer()))
    with reading(recorder.engine) as conn:
        people = {row.store_id: row.id for row in recorder.rows(core.Person)}
        assert find_existing_profiles(conn, people.values()) == {(1, people[1]), (11, people[2])}


@pytest.mark.parametrize("known", [False, True], ids=["new people", "people who are known"])
def test_a_batch_takes_as_many_statements_for_forty_stores_as_for_one(engine, known):
    recorder = HookRecorder(engine)
    for number in range(2, 41):
        recorder.add_store(number, f"store-{number}")
    many = ["acme", *(f"store-{number}" for number in range(2, 41))]

    assert statements(recorder, many, 100, known=known) == statements(recorder, ["acme"] * 40, 200, known=known)


def statements(recorder, names, first, *, known):
    """The statements of a batch by their first words: of each of these stores a gift, and a repeated hook."""
    people = [(store, first + place) for place, store in enumerate(names)]
    if known:
        recorder.record(*(recorder.hook("customer_new", person(number), store=store) for store, number in people))
    recorder.record(*repeats(recorder, names))
    seen = Counter()

    def watch(_db, _cursor, statement, *_):
        seen[" ".join(statement.split()[:3])] += 1

    gifts = [recorder.hook("order_new", gift_of(number), store=store) for store, number in people]
    batch = [*gifts, *repeats(recorder, names)]
    event.listen(recorder.engine, "before_cursor_execute", watch)
    recorder.record(*batch, token=1)
    event.remove(recorder.engine, "before_cursor_execute", watch)
    return seen


def repeats(recorder, names):
    return [recorder.hook("order_new", order(id=1), store=store) for store in names]


def person(number):
    return customer(id=number, email=f"p{number}@example.com")


def gift_of(number):
    gift = gift_info(gift_recipient_email=f"r{number}@example.com")
    return gift_order(id=number, customer=person(number), order_gift_info=gift)
