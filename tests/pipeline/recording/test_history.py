"""What a person's attributes were before is kept with the event that changed them, whatever brought the change."""

from __future__ import annotations

from pipeline.ledger.schema import core
from pipeline.ledger.schema.history import AttributeChange
from tests.builders import HOUR, NOW, customer, gift_order, order


def changes(recorder):
    return [(row.person_id, row.event_id, row.at, row.data) for row in recorder.rows(AttributeChange)]


def test_the_first_attributes_of_a_person_cost_an_empty_row(recorder):
    recorder.record_one("customer_new", customer(), at=NOW)

    assert changes(recorder) == [(1, 1, NOW, {})]


def test_a_change_has_only_what_changed_and_its_event(recorder):
    recorder.record_one("customer_new", customer(), at=NOW)
    recorder.record_one("address_updated", customer(first_name="Beatrice"), at=NOW + HOUR)
    recorder.record_one("billing_updated", customer(first_name="Beatrice"), at=NOW + 2 * HOUR)

    assert changes(recorder)[1:] == [(1, 2, NOW + HOUR, {"first_name": "Bea"})]


def test_two_changes_in_one_batch_are_two(recorder):
    recorder.record(
        recorder.hook("customer_new", customer(), at=NOW),
        recorder.hook("address_updated", customer(first_name="Beatrice"), at=NOW + HOUR),
    )

    assert [(event, data) for _, event, _, data in changes(recorder)] == [(1, {}), (2, {"first_name": "Bea"})]


def test_a_repeat_changes_nothing(recorder):
    for _ in range(2):
        recorder.record_one("order_new", order())

    assert len(changes(recorder)) == 1


def test_a_gift_changes_both(recorder):
    recorder.record_one("order_new", gift_order())

    assert {(person, event) for person, event, _, _ in changes(recorder)} == {(1, 1), (2, 1)}


def test_a_withheld_persons_changes_are_kept_too(recorder):
    recorder.change_store(marketplace_sources=["2"], storefront_sources=["1"])
    recorder.record_one("order_new", order(source=2))

    assert (recorder.rows(core.Delivery), len(changes(recorder))) == ([], 1)
