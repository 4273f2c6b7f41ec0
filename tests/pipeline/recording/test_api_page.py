"""What a page of the store's API teaches, beside and against what hooks tell."""

from __future__ import annotations

import pytest

from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.recording.api_page import ApiPage, enqueue_unsent_profiles, record_api_page
from pipeline.recording.load import load_stores_by_name
from tests.builders import HOUR, NOW, RECIPIENT, customer, gift_order, order, shipment, subscription

ASKED = NOW + 100 * HOUR


class Reader:
    """Records pages as a backfill does."""

    def __init__(self, teller):
        self._teller = teller

    def page(self, resource, *objects, asked_at=ASKED, reading=1):
        with writing(self._teller.engine) as db:
            store = load_stores_by_name(db, ["acme"])["acme"]
            page = ApiPage(resource, objects, asked_at, reading, sends_profiles=resource == "customers")
            return record_api_page(db, store, page, asked_at + 1)

    def tell_untold(self):
        with writing(self._teller.engine) as db:
            return enqueue_unsent_profiles(db, load_stores_by_name(db, ["acme"])["acme"], 100, ASKED + 2)


@pytest.fixture
def reader(teller):
    return Reader(teller)


def profiles(teller):
    """(address, attributes) of every profile that leaves, in order."""
    told = [row for row in teller.rows(core.Delivery) if row.kind == "profile"]
    return [(row.message["email"], row.message["data"]) for row in told]


def listed(number=7001, **more):
    return customer(**{"id": number, "email": f"c{number}@example.com", "num_orders": 3, "total_revenue": 9900, **more})


def test_a_customer_becomes_a_profile_and_no_event(teller, reader):
    reader.page("customers", listed())

    (told,) = teller.rows(core.Delivery)
    assert (told.kind, told.priority, told.event_id, told.message_id) == ("profile", BACKFILL_PRIORITY, None, None)
    assert told.message["data"] | {"order_count": 3, "lifetime_value": 9900} == told.message["data"]
    assert teller.rows(core.Event) == []


def test_what_orders_and_subscriptions_tell_leaves_with_the_customer_once(teller, reader):
    buyer = listed()
    reader.page("subscriptions", subscription(customer=buyer))
    reader.page("orders", order(customer=buyer))
    before = profiles(teller)
    reader.page("customers", buyer)

    ((_, told),) = profiles(teller)
    assert before == []
    assert (told["subscription_plan"], told["last_order_at"]) == ("Month to Month", 1772471071)


def test_the_same_page_again_changes_nothing(teller, reader):
    reader.page("customers", listed())
    reader.page("customers", listed(), asked_at=ASKED + HOUR)

    assert len(profiles(teller)) == 1


def test_another_state_at_the_next_reading_is_another_profile(teller, reader):
    reader.page("customers", listed())
    reader.page("customers", listed(email="new@example.com"), asked_at=ASKED + HOUR, reading=2)

    assert [address for address, _ in profiles(teller)] == ["c7001@example.com", "new@example.com"]


def test_a_hook_received_between_asking_and_writing_is_not_overwritten(teller, reader):
    teller.told("address_updated", listed(first_name="Newer"), at=ASKED + 1)
    reader.page("customers", listed(first_name="Older"))

    assert [told["first_name"] for _, told in profiles(teller)] == ["Newer"]


def test_a_page_asked_for_after_a_hook_knows_better(teller, reader):
    teller.told("address_updated", listed(first_name="Older"), at=ASKED - 1)
    reader.page("customers", listed(first_name="Newer"))

    assert [told["first_name"] for _, told in profiles(teller)] == ["Older", "Newer"]


def test_news_of_somebody_takes_their_backfilled_profile_along(teller, reader):
    reader.page("customers", listed(), listed(7002))
    teller.told("order_new", order(customer=listed()), at=ASKED + HOUR)

    rows = teller.rows(core.Delivery)
    assert [(row.message["email"], row.kind, row.priority) for row in rows if row.priority == LIVE_PRIORITY] == [
        ("c7001@example.com", "profile", LIVE_PRIORITY),
        ("c7001@example.com", "profile", LIVE_PRIORITY),
        ("c7001@example.com", "event", LIVE_PRIORITY),
    ]
    assert [row.message["email"] for row in rows if row.priority == BACKFILL_PRIORITY] == ["c7002@example.com"]


def test_a_hook_before_the_customers_page_tells_what_the_orders_page_taught(teller, reader):
    reader.page("subscriptions", subscription(customer=listed()))
    teller.told("address_updated", listed(), at=ASKED + HOUR)
    hooked = profiles(teller)
    reader.page("customers", listed(), asked_at=ASKED + 2 * HOUR)

    ((_, told),) = [one for one in hooked if "subscription_plan" in one[1]]
    assert told["subscription_plan"] == "Month to Month"
    assert len(profiles(teller)) == len(hooked)


def test_the_recipient_of_a_gift_becomes_a_profile(teller, reader):
    reader.page("orders", gift_order(customer=listed()))
    reader.page("customers", listed())
    reader.tell_untold()

    assert [(email, told.get("gift_recipient")) for email, told in profiles(teller)] == [
        ("c7001@example.com", None),
        (RECIPIENT, True),
    ]


def test_nobody_is_told_of_twice_because_no_page_of_customers_showed_them(teller, reader):
    reader.page("orders", order(customer=listed()))

    assert (reader.tell_untold(), reader.tell_untold(), len(profiles(teller))) == (1, 0, 1)


def test_a_box_told_before_its_gift_was_read_still_reaches_the_recipient(teller, reader):
    """The hook's event, not the backfill's: it came after the connection, and nobody could know for whom."""
    box = {"id": 7031, "subscription_id": 7021, "order": {"id": 7015}, "cycle_number": 0, "total_cycles": 3}
    teller.told("shipment_shipped", shipment(fulfillments=[box], is_gift=True), at=ASKED - HOUR)
    reader.page("orders", gift_order())

    theirs = [row for row in teller.rows(core.Delivery) if row.message["email"] == RECIPIENT]
    assert [(row.kind, row.name, row.priority) for row in theirs] == [
        ("profile", None, LIVE_PRIORITY),
        ("event", "shipment_shipped", LIVE_PRIORITY),
    ]


def test_test_objects_teach_nothing_unless_the_store_wants_them(teller, reader):
    test_order = order(customer=listed(), is_test=True)
    reader.page("orders", test_order)
    silent = reader.tell_untold()
    teller.change_store(forward_tests=True)
    reader.page("orders", test_order)

    assert (silent, reader.tell_untold()) == (0, 1)
    assert [told["is_test"] for _, told in profiles(teller)] == [True]


def test_a_customer_without_an_address_gets_no_profile_and_holds_nobody_up(teller, reader):
    reader.page("orders", order(customer=listed(email=None)))
    reader.page("customers", listed(email=None), listed(7002))

    assert (reader.tell_untold(), [email for email, _ in profiles(teller)]) == (0, ["c7002@example.com"])


def test_what_a_reading_has_shown_already_is_not_new_to_it(teller, reader):
    first = reader.page("customers", listed(), listed(7002))
    again = reader.page("customers", listed(7002), listed(7003), asked_at=ASKED + 1)
    another = reader.page("customers", listed(), asked_at=ASKED + 2, reading=2)

    assert (first, again, another) == (2, 1, 1)


def test_two_customers_with_one_address_are_two_objects_and_one_person(teller, reader):
    twins = [listed(number, email="twin@example.com") for number in (7001, 7002)]

    assert reader.page("customers", *twins) == 2
    assert reader.page("customers", *twins) == 0
    assert len(teller.rows(core.Person)) == 1


def test_a_store_without_a_connection_learns_all_the_same(teller, reader):
    with writing(teller.engine) as db:
        db.execute(core.StoreConnection.__table__.delete())
    reader.page("customers", listed())

    assert [row.attributes["order_count"] for row in teller.rows(core.Person)] == [3]
