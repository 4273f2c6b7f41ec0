"""What hooks say is found by the search at once, and what is erased, deleted or gone is not."""

from __future__ import annotations

from pipeline.ledger.engine import writing
from pipeline.ledger.queries.search import search
from pipeline.ledger.retention.kinds import KINDS
from pipeline.ledger.schema import core
from pipeline.ledger.schema.search import PersonTerm, SearchProgress, TrackingNumber
from pipeline.ledger.search_terms import FILLED_KINDS, fill_slice, is_search_filled
from tests.builders import NOW, customer, gift_order, shipment


def found(recorder, text):
    with writing(recorder.engine) as conn:
        result = search(conn, [1], text)
    return [person.id for person in result.people], list(result.event_ids)


def terms(recorder):
    return [tuple(row) for model in (PersonTerm, TrackingNumber) for row in recorder.rows(model)]


def test_a_name_an_address_and_a_tracking_number_are_found_once_they_are_recorded(recorder):
    recorder.record_one("customer_new", customer(first_name="Mila", last_name="Šimůnek", email="mila@example.com"))
    recorder.record_one("shipment_shipped", shipment(tracking_number="1Z 999 AA1"))

    assert found(recorder, "simu")[0] == [1]
    assert found(recorder, "mila@")[0] == [1]
    assert found(recorder, "1z999aa1")[1] == [2]


def test_a_gift_recipient_is_found_by_the_name_that_the_giver_typed(recorder):
    recorder.record_one("order_new", gift_order())

    assert found(recorder, "rory rec")[0] == [2]


def test_a_person_is_found_by_a_former_name_too(recorder):
    recorder.record_one("customer_new", customer(last_name="Before"))
    recorder.record_one("address_updated", customer(last_name="After"))

    assert found(recorder, "before") == found(recorder, "after") == ([1], [])


def test_a_withheld_person_is_found(recorder):
    recorder.change_store(marketplace_policy="withhold", marketplace_sources=["1"])
    recorder.record_one("customer_new", customer(first_name="Mila"))

    assert found(recorder, "mila")[0] == [1]


def test_a_hook_that_says_nothing_new_writes_no_term(recorder):
    recorder.record_one("customer_new", customer())
    before = terms(recorder)
    recorder.record_one("billing_updated", customer())

    assert terms(recorder) == before


def test_what_was_recorded_before_there_was_a_search_is_read_in_slices(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("order_new", gift_order())
    recorder.record_one("shipment_shipped", shipment(tracking_number="1Z999AA1"))
    before = terms(recorder)
    with writing(recorder.engine) as conn:
        for model in (PersonTerm, TrackingNumber):
            conn.execute(model.__table__.delete())
        assert not is_search_filled(conn)

    ends = []
    for kind in FILLED_KINDS:
        with writing(recorder.engine) as conn:
            ends.append([fill_slice(conn, kind, 1, NOW) for _ in range(5)])

    assert terms(recorder) == before
    assert ends == [[False, False, True, True, True], [False, False, False, True, True]]
    assert {row.done_at for row in recorder.rows(SearchProgress)} == {NOW}
    with writing(recorder.engine) as conn:
        assert is_search_filled(conn)


def test_terms_go_with_the_events_and_people_that_retention_deletes(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("shipment_shipped", shipment(tracking_number="1Z999AA1"))
    with writing(recorder.engine) as conn:
        for table in (core.DeliveryCall, core.Delivery):
            conn.execute(table.__table__.delete())
        conn.execute(core.Person.__table__.update().values(untold_since=None))
        for kind in KINDS:
            if kind.name in ("events", "people"):
                kind.delete(conn, [1, 2], NOW + 10**15)

    assert terms(recorder) == []
