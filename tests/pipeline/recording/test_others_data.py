"""What a message about one person says of another: nothing, where the other is withheld."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from pipeline.core.consent import COMMAND_LINE
from pipeline.ledger.engine import writing
from pipeline.ledger.queries import list_dead_letters
from pipeline.ledger.schema import core
from pipeline.operations.consent import set_gift_recipients, set_marketplace_policy
from pipeline.operations.replay import replay
from tests.builders import NOW

SHOP, MARKET = 1, 2
BUYER, OTHER, RECIPIENT = range(3)


def customer(person):
    return {"id": 7000 + person, "email": f"p{person}@example.com", "first_name": f"Name{person}"}


def gift_to(person):
    name = {"gift_recipient_email": f"p{person}@example.com", "gift_recipient_name": f"Named{person}"}
    return {**name, "gift_message": f"Words to {person}"}


def order(number, person, source=None, recipient=None):
    gift = {} if recipient is None else {"is_gift": True, "order_gift_info": gift_to(recipient)}
    shown = {} if source is None else {"source": source}
    return {"id": number, "customer": customer(person), "total": 4242, "financial_status": "paid"} | gift | shown


def subscription(person, recipient=None):
    """A hook without a source, as several events of a subscription are."""
    gift = {} if recipient is None else {"subscription_gift_info": gift_to(recipient)}
    return {"id": 5, "customer": customer(person), "end_date": "2026-04-15T00:00:00Z"} | gift


def choose(recorder, policy):
    with writing(recorder.engine) as conn:
        set_marketplace_policy(conn, 1, policy, COMMAND_LINE, NOW)


def list_states(recorder):
    return [(row.kind, row.status) for row in recorder.rows(core.Delivery)]


def parcel(person, *orders):
    boxes = [{"id": item["id"], "order": item} for item in orders]
    return {"id": 9, "customer": customer(person), "fulfillments": boxes}


def read_messages(recorder):
    return [json.dumps(row.message) for row in recorder.rows(core.Delivery)]


def find(recorder, *marks):
    return [mark for mark in marks for text in read_messages(recorder) if mark in text]


@pytest.fixture
def answered(recorder):
    recorder.change_store(marketplace_sources=["2"], storefront_sources=["1"])
    return recorder


@pytest.fixture
def silent_storefront(recorder):
    """Only the orders of Marketplace show a source."""
    recorder.change_store(marketplace_sources=["2"], storefront_sources=[])
    recorder.record_one("order_new", order(1, BUYER))
    recorder.record_one("order_new", order(2, OTHER, MARKET))
    return recorder


def test_a_withheld_giver_is_not_named_by_a_subscription_without_a_source(silent_storefront):
    silent_storefront.record_one("subscription_cancelled", subscription(OTHER, recipient=BUYER))

    assert find(silent_storefront, "Name1", "Words") == []


def test_a_withheld_giver_is_not_named_in_a_late_copy(silent_storefront):
    silent_storefront.record_one("subscription_cancelled", subscription(OTHER))
    silent_storefront.record_one("subscription_updated", subscription(OTHER, recipient=BUYER))

    assert ("p0@example.com", "subscription_cancelled") in silent_storefront.sent()
    assert find(silent_storefront, "Name1", "Words") == []


def test_a_giver_of_the_storefront_is_named_though_no_hook_shows_a_source(silent_storefront):
    silent_storefront.record_one("order_new", order(3, BUYER, recipient=RECIPIENT))

    assert find(silent_storefront, '"gift_sender_first_name": "Name0"') != []


def test_a_buyers_copy_lacks_the_recipient_whose_address_is_withheld(silent_storefront):
    silent_storefront.change_store(marketplace_policy="profile_without_address")
    silent_storefront.record_one("subscription_cancelled", subscription(BUYER, recipient=OTHER))

    assert ("p0@example.com", "subscription_cancelled") in silent_storefront.sent()
    assert find(silent_storefront, "p1@example.com") == []


def test_a_registration_that_waited_is_not_sent_with_the_address_that_is_withheld(answered):
    answered.change_store(marketplace_policy="profile_without_address")
    answered.record_one("customer_new", customer(OTHER))
    answered.record_one("order_new", order(1, OTHER, MARKET))

    assert answered.sent() == [(None, "order_new")]
    assert find(answered, "p1@example.com") == []


def test_a_recipients_copy_without_address_has_no_price(answered):
    answered.change_store(marketplace_policy="profile_without_address")
    answered.record_one("order_new", order(1, OTHER, MARKET))
    answered.record_one("order_new", order(2, BUYER, MARKET, recipient=OTHER) | {"total": 9999})

    copies = [
        row.message for row in answered.rows(core.Delivery) if row.message["data"].get("role") == "gift_recipient"
    ]
    assert [(copy["customer_id"], copy["email"], copy["data"]["order"]) for copy in copies] == [
        (7001, None, {"id": 2, "is_gift": True})
    ]


def test_a_parcel_with_gifts_to_two_people_gives_neither_the_others_name(answered):
    first = order(1, BUYER, SHOP, recipient=RECIPIENT)
    first["order_gift_info"] = {"gift_recipient_email": "p2@example.com"}
    answered.record_one("shipment_shipped", parcel(BUYER, first, order(2, BUYER, MARKET, recipient=OTHER)))

    assert ("p2@example.com", "shipment_shipped") in answered.sent()
    assert find(answered, "p1@example.com", "Named1", "Words to 1") == []


def test_a_parcel_with_orders_of_two_customers_gives_one_only_theirs(answered):
    answered.record_one("shipment_shipped", parcel(BUYER, order(1, BUYER, SHOP), order(2, OTHER, MARKET)))

    assert ("p0@example.com", "shipment_shipped") in answered.sent()
    assert find(answered, "Name1", "p1@example.com") == []


def test_another_customers_order_in_a_parcel_makes_no_one_known_at_the_storefront(answered):
    answered.record_one("shipment_shipped", parcel(OTHER, order(1, BUYER, SHOP), order(2, OTHER, MARKET)))

    assert find(answered, "Name1", "p1@example.com") == []


def test_a_renewal_of_a_gift_lacks_the_recipients_home_where_recipients_are_withheld(recorder):
    recorder.change_store(gift_recipients="withhold")
    home = {"subscriptions": [{"id": 5}], "ship_address": {"to": "Last2", "street": "9 Home"}}
    recorder.record_one("order_new", order(1, BUYER, recipient=RECIPIENT) | home)
    recorder.record_one("order_new", order(2, BUYER) | home | {"is_renewal": True})

    assert recorder.sent() == [("p0@example.com", "order_new")] * 2
    assert find(recorder, "Last2", "9 Home") == []


def test_a_stricter_policy_takes_the_recipient_out_of_a_buyers_message_that_waits(answered):
    answered.change_store(marketplace_policy="forward")
    answered.record_one("order_new", order(1, BUYER, SHOP))
    answered.record_one("order_new", order(2, BUYER, MARKET, recipient=OTHER))
    choose(answered, "withhold")

    waiting = [json.dumps(row.message) for row in answered.rows(core.Delivery) if row.status == "pending"]
    assert len([text for text in waiting if "p0@example.com" in text]) == 4
    assert [mark for mark in ("p1@example.com", "Named1", "Words") for text in waiting if mark in text] == []


def test_a_stricter_policy_takes_the_giver_out_of_a_recipients_messages_that_wait(answered):
    answered.change_store(marketplace_policy="forward")
    answered.record_one("order_new", order(1, BUYER, SHOP))
    answered.record_one("order_new", order(2, OTHER, MARKET, recipient=BUYER))
    choose(answered, "withhold")

    waiting = [json.dumps(row.message) for row in answered.rows(core.Delivery) if row.status == "pending"]
    assert [mark for mark in ("Name1", "Words") for text in waiting if mark in text] == []


def test_withholding_recipients_takes_them_out_of_buyers_messages_that_wait(recorder):
    recorder.record_one("order_new", order(1, BUYER, recipient=RECIPIENT))
    with writing(recorder.engine) as conn:
        set_gift_recipients(conn, 1, "withhold", COMMAND_LINE, NOW)

    waiting = [json.dumps(row.message) for row in recorder.rows(core.Delivery) if row.status == "pending"]
    assert len(waiting) == 2
    assert [mark for mark in ("p2@example.com", "Named2", "Words") for text in waiting if mark in text] == []


def test_messages_without_an_address_go_on_waiting_when_a_setting_changes(answered):
    answered.change_store(marketplace_policy="profile_without_address")
    answered.record_one("order_new", order(1, OTHER, MARKET))
    with writing(answered.engine) as conn:
        set_gift_recipients(conn, 1, "withhold", COMMAND_LINE, NOW)

    assert list_states(answered) == [("profile", "pending"), ("event", "pending")]


def test_a_replayed_message_follows_the_policy_of_now(answered, redis_client):
    answered.change_store(marketplace_policy="forward")
    answered.record_one("order_new", order(1, BUYER, SHOP))
    answered.record_one("order_new", order(2, BUYER, MARKET, recipient=OTHER))
    answered.record_one("order_new", order(3, OTHER, MARKET))
    with writing(answered.engine) as conn:
        conn.execute(update(core.Delivery).values(status="dead", done_at=NOW))
    choose(answered, "profile_without_address")
    with writing(answered.engine) as conn:
        for dead in list_dead_letters(conn):
            replay(conn, redis_client, dead, NOW)

    waiting = [json.dumps(row.message) for row in answered.rows(core.Delivery) if row.status == "pending"]
    assert [text for text in waiting if "p0@example.com" in text] != []
    assert [mark for mark in ("p1@example.com", "Named1", "Words") for text in waiting if mark in text] == []
