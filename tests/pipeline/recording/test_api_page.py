"""What a page of the store's API adds to the ledger, beside and against hooks."""

from __future__ import annotations

import pytest

from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.recording.api_page import ApiPage, enqueue_unsent_profiles, record_api_page
from pipeline.recording.load_stores import load_stores_by_name
from tests.builders import HOUR, NOW, RECIPIENT, customer, gift_order, order, shipment, subscription

ASKED = NOW + 100 * HOUR


class Reader:
    """Records pages as a backfill does."""

    def __init__(self, recorder):
        self._teller = recorder

    def page(self, resource, *objects, asked_at=ASKED, reading=1):
        with writing(self._teller.engine) as conn:
            store = load_stores_by_name(conn, ["acme"])["acme"]
            page = ApiPage(resource, objects, asked_at, reading, sends_profiles=resource == "customers")
            return record_api_page(conn, store, page, asked_at + 1)

    def enqueue_unsent(self):
        with writing(self._teller.engine) as conn:
            return enqueue_unsent_profiles(conn, load_stores_by_name(conn, ["acme"])["acme"], 100, ASKED + 2)


@pytest.fixture
def reader(recorder):
    return Reader(recorder)


def profiles(recorder):
    """(address, attributes) of every profile that leaves, in order."""
    profile = [row for row in recorder.rows(core.Delivery) if row.kind == "profile"]
    return [(row.message["email"], row.message["data"]) for row in profile]


def listed(number=7001, **more):
    return customer(**{"id": number, "email": f"c{number}@example.com", "num_orders": 3, "total_revenue": 9900, **more})


def test_a_customer_becomes_a_profile_and_no_event(recorder, reader):
    reader.page("customers", listed())

    (profile,) = recorder.rows(core.Delivery)
    assert (profile.kind, profile.priority, profile.event_id, profile.message_id) == (
        "profile",
        BACKFILL_PRIORITY,
        None,
        None,
    )
    assert profile.message["data"] | {"order_count": 3, "lifetime_value": 9900} == profile.message["data"]
    assert recorder.rows(core.Event) == []


def test_what_orders_and_subscriptions_show_leaves_with_the_customer_once(recorder, reader):
    buyer = listed()
    reader.page("subscriptions", subscription(customer=buyer))
    reader.page("orders", order(customer=buyer))
    before = profiles(recorder)
    reader.page("customers", buyer)

    ((_, profile),) = profiles(recorder)
    assert before == []
    assert (profile["subscription_plan"], profile["last_order_at"]) == ("Month to Month", 1772471071)


def test_the_same_page_again_changes_nothing(recorder, reader):
    reader.page("customers", listed())
    reader.page("customers", listed(), asked_at=ASKED + HOUR)

    assert len(profiles(recorder)) == 1


def test_another_state_at_the_next_reading_is_another_profile(recorder, reader):
    reader.page("customers", listed())
    reader.page("customers", listed(email="new@example.com"), asked_at=ASKED + HOUR, reading=2)

    assert [address for address, _ in profiles(recorder)] == ["c7001@example.com", "new@example.com"]


def test_a_hook_received_between_asking_and_writing_is_not_overwritten(recorder, reader):
    recorder.record_one("address_updated", listed(first_name="Newer"), at=ASKED + 1)
    reader.page("customers", listed(first_name="Older"))

    assert [profile["first_name"] for _, profile in profiles(recorder)] == ["Newer"]


def test_a_page_asked_for_after_a_hook_knows_better(recorder, reader):
    recorder.record_one("address_updated", listed(first_name="Older"), at=ASKED - 1)
    reader.page("customers", listed(first_name="Newer"))

    assert [profile["first_name"] for _, profile in profiles(recorder)] == ["Older", "Newer"]


def test_a_hook_about_a_person_takes_their_backfilled_profile_along(recorder, reader):
    reader.page("customers", listed(), listed(7002))
    recorder.record_one("order_new", order(customer=listed()), at=ASKED + HOUR)

    rows = recorder.rows(core.Delivery)
    assert [(row.message["email"], row.kind, row.priority) for row in rows if row.priority == LIVE_PRIORITY] == [
        ("c7001@example.com", "profile", LIVE_PRIORITY),
        ("c7001@example.com", "profile", LIVE_PRIORITY),
        ("c7001@example.com", "event", LIVE_PRIORITY),
    ]
    assert [row.message["email"] for row in rows if row.priority == BACKFILL_PRIORITY] == ["c7002@example.com"]


def test_a_hook_before_the_customers_page_sends_what_the_orders_page_showed(recorder, reader):
    reader.page("subscriptions", subscription(customer=listed()))
    recorder.record_one("address_updated", listed(), at=ASKED + HOUR)
    hooked = profiles(recorder)
    reader.page("customers", listed(), asked_at=ASKED + 2 * HOUR)

    ((_, profile),) = [item for item in hooked if "subscription_plan" in item[1]]
    assert profile["subscription_plan"] == "Month to Month"
    assert len(profiles(recorder)) == len(hooked)


def test_the_recipient_of_a_gift_becomes_a_profile(recorder, reader):
    reader.page("orders", gift_order(customer=listed()))
    reader.page("customers", listed())
    reader.enqueue_unsent()

    assert [(email, profile.get("gift_recipient")) for email, profile in profiles(recorder)] == [
        ("c7001@example.com", None),
        (RECIPIENT, True),
    ]


def test_a_person_on_no_page_of_customers_gets_one_profile(recorder, reader):
    reader.page("orders", order(customer=listed()))

    assert (reader.enqueue_unsent(), reader.enqueue_unsent(), len(profiles(recorder))) == (1, 0, 1)


def test_a_box_recorded_before_its_gift_was_read_still_reaches_the_recipient(recorder, reader):
    """The hook's event, not the backfill's: it came after the connection, and its recipient was not known."""
    box = {"id": 7031, "subscription_id": 7021, "order": {"id": 7015}, "cycle_number": 0, "total_cycles": 3}
    recorder.record_one("shipment_shipped", shipment(fulfillments=[box], is_gift=True), at=ASKED - HOUR)
    reader.page("orders", gift_order())

    theirs = [row for row in recorder.rows(core.Delivery) if row.message["email"] == RECIPIENT]
    assert [(row.kind, row.name, row.priority) for row in theirs] == [
        ("profile", None, LIVE_PRIORITY),
        ("event", "shipment_shipped", LIVE_PRIORITY),
    ]


def test_test_objects_teach_nothing_unless_the_store_wants_them(recorder, reader):
    test_order = order(customer=listed(), is_test=True)
    reader.page("orders", test_order)
    silent = reader.enqueue_unsent()
    recorder.change_store(forward_tests=True)
    reader.page("orders", test_order)

    assert (silent, reader.enqueue_unsent()) == (0, 1)
    assert [profile["is_test"] for _, profile in profiles(recorder)] == [True]


def test_a_customer_without_an_address_gets_no_profile_and_holds_up_no_other(recorder, reader):
    reader.page("orders", order(customer=listed(email=None)))
    reader.page("customers", listed(email=None), listed(7002))

    assert (reader.enqueue_unsent(), [email for email, _ in profiles(recorder)]) == (0, ["c7002@example.com"])


def test_what_a_reading_has_shown_already_is_not_new_to_it(recorder, reader):
    first = reader.page("customers", listed(), listed(7002))
    again = reader.page("customers", listed(7002), listed(7003), asked_at=ASKED + 1)
    another = reader.page("customers", listed(), asked_at=ASKED + 2, reading=2)

    assert (first, again, another) == (2, 1, 1)


def test_two_customers_with_one_address_are_two_objects_and_one_person(recorder, reader):
    twins = [listed(number, email="twin@example.com") for number in (7001, 7002)]

    assert reader.page("customers", *twins) == 2
    assert reader.page("customers", *twins) == 0
    assert len(recorder.rows(core.Person)) == 1


def test_a_store_without_a_connection_learns_all_the_same(recorder, reader):
    with writing(recorder.engine) as conn:
        conn.execute(core.StoreConnection.__table__.delete())
    reader.page("customers", listed())

    assert [row.attributes["order_count"] for row in recorder.rows(core.Person)] == [3]
