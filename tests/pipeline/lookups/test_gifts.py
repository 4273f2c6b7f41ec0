"""A gift whose hook names no usable address: its recipient is looked for along its order and its subscription."""

from __future__ import annotations

import pytest

from pipeline.core.errors import RateLimited
from pipeline.ledger.schema import core
from tests.builders import RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription

NAMELESS = {"is_gift": True, "order_gift_info": {"id": 7017, "gift_message": "Enjoy!"}}
GIFT_SUBSCRIPTION = subscription(subscription_gift_info={"id": 9})
FIRST_ORDER, LATER_ORDER = {"id": 7015, "placed_at": "2026-03-02"}, {"id": 7099, "placed_at": "2026-04-02"}


def received(lookups):
    return [name for email, name in lookups.recorder.sent() if email == RECIPIENT]


def gifts_of(lookups):
    return {kind: state for kind, state in lookups.states().items() if "gift" in kind}


def test_the_order_itself_may_name_the_address(lookups):
    lookups.api.objects = {("orders", 7015): gift_order()}
    lookups.record("order_new", order(**NAMELESS))
    asked = lookups.notes()
    lookups.run()

    assert (asked["recipient_asked"], lookups.notes()["recipient_found"]) == (1, 1)
    assert gifts_of(lookups) == {"order_gift 7015": "found"}
    assert received(lookups) == ["order_new"]


def test_the_orders_subscription_may_name_it(lookups):
    lookups.api.objects = {
        ("orders", 7015): order(**NAMELESS, subscriptions=[{"id": 7021}]),
        ("subscriptions", 7021): subscription(subscription_gift_info=gift_info()),
    }
    lookups.record("order_new", order(**NAMELESS))
    lookups.run()

    assert lookups.api.asked == ["orders/7015", "subscriptions/7021"]
    assert (received(lookups), lookups.notes()["recipient_found"]) == (["order_new"], 1)


def test_the_subscriptions_first_order_may_name_it(lookups):
    lookups.api.objects = {
        ("subscriptions", 7021): {**GIFT_SUBSCRIPTION, "orders": [LATER_ORDER, FIRST_ORDER]},
        ("orders", 7015): gift_order(),
    }
    lookups.record("subscription_new", GIFT_SUBSCRIPTION)
    lookups.run()

    asked = [what for what in lookups.api.asked if "survey" not in what]
    assert asked[:2] == ["subscriptions/7021", "orders/7015"]
    assert received(lookups) == ["subscription_new"]


def test_all_boxes_of_a_gift_are_one_question_and_each_gets_its_copy(lookups):
    lookups.api.objects = {("subscriptions", 7021): subscription(subscription_gift_info=gift_info())}
    for number in (1, 2, 3):
        lookups.record("shipment_shipped", shipment(id=number, is_gift=True))
    lookups.run()

    assert (lookups.api.asked, received(lookups)) == (["subscriptions/7021"], ["shipment_shipped"] * 3)


def test_a_shipment_with_links_is_read_first(lookups):
    link = {"links": {"fulfillments": "/v1/shipments/7033/fulfillments"}, "fulfillments": None}
    lookups.api.objects = {
        ("shipments", 7033): shipment(is_gift=True),
        ("subscriptions", 7021): subscription(subscription_gift_info=gift_info()),
    }
    lookups.record("shipment_shipped", shipment(is_gift=True, **link))
    lookups.run()

    assert lookups.api.asked == ["shipments/7033", "subscriptions/7021"]
    assert (received(lookups), lookups.notes()["recipient_found"]) == (["shipment_shipped"], 1)


def test_a_gift_that_nothing_names_is_asked_for_once_and_its_events_say_so(lookups):
    lookups.api.objects = {
        ("orders", 7015): order(**NAMELESS, subscriptions=[{"id": 7021}]),
        ("subscriptions", 7021): {**GIFT_SUBSCRIPTION, "orders": [FIRST_ORDER]},
    }
    lookups.record("order_new", order(**NAMELESS))
    lookups.run()
    lookups.record("subscription_updated", subscription(subscription_gift_info={"id": 9}, status="expired"))
    lookups.record("shipment_shipped", shipment(is_gift=True))
    lookups.run()

    assert lookups.api.asked == ["orders/7015", "subscriptions/7021"]
    assert gifts_of(lookups) == {"order_gift 7015": "nothing", "subscription_gift 7021": "nothing"}
    assert lookups.notes() == {"recipient_email_missing": 3, "recipient_not_found": 3}
    assert received(lookups) == []


def test_an_address_that_a_hook_names_later_still_reaches_the_recipient(lookups):
    lookups.record("order_new", order(**NAMELESS))
    lookups.run()
    before = lookups.notes()["recipient_not_found"]
    lookups.record("order_updated", gift_order())

    assert (before, lookups.notes()["recipient_found"], lookups.notes()["recipient_not_found"]) == (1, 1, 0)
    assert sorted(received(lookups)) == ["order_new", "order_updated"]


def test_an_address_that_a_hook_names_meanwhile_costs_no_request(lookups):
    lookups.record("order_new", order(**NAMELESS))
    lookups.record("order_updated", gift_order())
    lookups.run()

    assert (lookups.api.asked, gifts_of(lookups)) == ([], {"order_gift 7015": "found"})


@pytest.mark.parametrize(
    "body", [gift_order(), gift_order(order_gift_info=gift_info(gift_recipient_email=customer()["email"])), order()]
)
def test_nothing_is_asked_where_there_is_an_address_or_no_gift(lookups, body):
    lookups.record("order_new", body)

    assert lookups.states() == {}


def test_an_address_that_is_none_is_asked_for_too(lookups):
    lookups.api.objects = {("orders", 7015): gift_order()}
    lookups.record("order_new", gift_order(order_gift_info=gift_info(gift_recipient_email="rory at home")))
    lookups.run()

    assert received(lookups) == ["order_new"]


def test_a_search_goes_on_where_the_budget_stopped_it(lookups):
    lookups.api.objects = {
        ("orders", 7015): order(**NAMELESS, subscriptions=[{"id": 7021}]),
        ("subscriptions", 7021): subscription(subscription_gift_info=gift_info()),
    }
    lookups.record("order_new", order(**NAMELESS))
    real = lookups.api.get

    def once_then_wait(*wanted):
        found = real(*wanted)
        lookups.api.failures = [RateLimited(0.5, "used up")] if len(lookups.api.asked) == 1 else []
        return found

    lookups.api.get = once_then_wait
    runs = [lookups.run().resume_in_s, lookups.run().resume_in_s]

    assert (runs, lookups.api.asked) == ([0.5, None], ["orders/7015", "subscriptions/7021", "subscriptions/7021"])
    assert len(lookups.recorder.rows(core.Gift)) > 0


def test_a_buyer_who_gave_their_own_address_gets_the_event_once(lookups):
    """The hook has only a link to its customer, so its body does not say that both are one person."""
    own = gift_info(gift_recipient_email=customer()["email"])
    lookups.api.objects = {("orders", 7015): gift_order(customer={"id": 7001}, order_gift_info=own)}
    lookups.record("customer_new", customer())
    lookups.record("order_new", order(**NAMELESS, customer={"id": 7001, "link": "/v1/customers/7001"}))
    lookups.run()

    assert lookups.recorder.sent() == [(customer()["email"], "customer_new"), (customer()["email"], "order_new")]
    assert lookups.notes() == {"recipient_email_missing": 1, "recipient_is_buyer": 1}
