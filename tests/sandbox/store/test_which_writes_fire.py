"""The documents' table of which writes fire which hooks, compared with what happens."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "sandbox-store.md"


def table():
    """Each row's write, with the hooks that fire and those that may."""
    section = PAGE.read_text().split("### Which writes fire which hooks")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {write: (hooks_in(re.sub(r"\(.*?\)", "", fires)), hooks_in(fires)) for write, fires in rows[1:]}


def hooks_in(text):
    return re.findall(r"`(\w+)`", text)


@pytest.fixture
def sent_after(shop, sent_events):
    """A function that writes, and returns the hooks that fired, in their order."""

    def after(*request):
        before = len(sent_events())
        answer = shop.call(*request)
        assert answer.status_code < 300, answer.text
        return sent_events()[before:]

    return after


@pytest.fixture
def store(shop):
    """Forty people from before: the last came too late to have got their box."""
    shop.people(40)
    return shop


def box_of(store):
    return store.get("/v1/shipments/?status=unshipped")["results"][0]


def subscription_of(store):
    return box_of(store)["fulfillments"][0]["subscription_id"]


def order_of(store, product_type):
    [instance, *_] = store.get(f"/v1/products/?product_type={product_type}")["results"][0]["instances"]
    customer_id = store.ids("/v1/customers/")[0]
    return {"customer": {"id": customer_id}, "products": [{"product_instance": {"id": instance["id"]}}]}


def gift_address(store):
    """The address of an unshipped box, made one that belongs to the recipient of a gift."""
    row = store.world.state.get("addresses", box_of(store)["ship_address"]["id"])
    row["_owner_id"] = row.pop("_customer_id")
    return row["id"]


def first(store, kind):
    return f"/v1/{kind}/{store.ids(f'/v1/{kind}/')[0]}/"


def cancelled(store):
    path = f"/v1/subscriptions/{subscription_of(store)}"
    store.call("PUT", f"{path}/cancel/")
    return path


def shipped(store):
    path = f"/v1/shipments/{box_of(store)['id']}/"
    store.call("PUT", path, {"status": "shipped"})
    return path


def past_due(store):
    subscription_id = subscription_of(store)
    store.world.state.get("subscriptions", subscription_id)["status"] = "past_due"
    return f"/v1/subscriptions/{subscription_id}/renew/"


HOOK = {"name": "n", "event": "order_new", "request_type": "POST", "target": "http://127.0.0.1:1/x"}

# How each row of the table is done: a function that is given the store, and returns the requests; none may fire others.
WRITES = {
    "`PUT customers/{id}`": lambda t: [("PUT", first(t, "customers"), {"first_name": "Nova", "note": "x"})],
    "`POST customers/{id}/addresses`": lambda t: [("POST", f"{first(t, 'customers')}addresses/", {"city": "Austin"})],
    "`PUT addresses/{id}` of a customer": lambda t: [
        ("PUT", f"/v1/addresses/{box_of(t)['ship_address']['id']}/", {"street": "1 New St"})
    ],
    "`PUT addresses/{id}` of a gift's recipient": lambda t: [
        ("PUT", f"/v1/addresses/{gift_address(t)}/", {"street": "1 New St"})
    ],
    "`PUT orders/{id}`": lambda t: [("PUT", first(t, "orders"), {"note": "x"})],
    "`POST orders` with a subscription box": lambda t: [("POST", "/v1/orders/", order_of(t, 0))],
    "`POST orders` with single items": lambda t: [("POST", "/v1/orders/", order_of(t, 1))],
    "`PUT subscriptions/{id}`": lambda t: [
        ("PUT", f"/v1/subscriptions/{subscription_of(t)}/", {"note": "x", "autorenew": False, "end_date": "2026-08-01"})
    ],
    "`PUT subscriptions/{id}/cancel`": lambda t: [("PUT", f"/v1/subscriptions/{subscription_of(t)}/cancel/")],
    "`PUT subscriptions/{id}/cancel` of a cancelled one": lambda t: [("PUT", f"{cancelled(t)}/cancel/")],
    "`PUT subscriptions/{id}/reactivate`": lambda t: [("PUT", f"{cancelled(t)}/reactivate/")],
    "`PUT subscriptions/{id}/skip`": lambda t: [
        ("PUT", f"/v1/subscriptions/{subscription_of(t)}/skip/", {"skip": True}),
        ("PUT", f"/v1/subscriptions/{subscription_of(t)}/skip/", {"unskip": True}),
    ],
    "`PUT subscriptions/{id}/renew` of a past-due one": lambda t: [("PUT", past_due(t))],
    "`POST`, `DELETE subscriptions/{id}/coupons`": lambda t: [
        ("POST", f"/v1/subscriptions/{subscription_of(t)}/coupons/", {"coupon_id": 5}),
        ("DELETE", f"/v1/subscriptions/{subscription_of(t)}/coupons/"),
    ],
    "`PUT shipments/{id}` with `status: shipped`": lambda t: [
        ("PUT", f"/v1/shipments/{box_of(t)['id']}/", {"status": "shipped"})
    ],
    "`PUT shipments/{id}` with `status: shipped`, of a shipped one": lambda t: [
        ("PUT", shipped(t), {"status": "shipped", "tracking_number": "94002"})
    ],
    "`PUT shipments/{id}` with `status: cancelled`": lambda t: [
        ("PUT", f"/v1/shipments/{box_of(t)['id']}/", {"status": "cancelled"})
    ],
    "`PUT shipments/{id}` without a new status": lambda t: [
        ("PUT", f"/v1/shipments/{box_of(t)['id']}/", {"tracking_number": "1", "adjusted_ordered_at": "2026-08-01"})
    ],
    "`PUT products/{id}`": lambda t: [("PUT", first(t, "products"), {"name": "New", "visible": False})],
    "`PUT`, `POST`, `DELETE …/metadata`": lambda t: [
        (method, f"{first(t, 'subscriptions')}metadata/", {"a": 1}) for method in ("PUT", "POST", "DELETE")
    ],
    "`POST`, `PUT`, `DELETE hooks`": lambda t: [
        ("POST", "/v1/hooks/", HOOK),
        ("PUT", first(t, "hooks"), {"enabled": False}),
        ("DELETE", first(t, "hooks")),
    ],
    "`POST page_redirects`": lambda _: [("POST", "/v1/page_redirects/", {"path": "/a", "target": "/b"})],
}


def test_the_table_has_a_row_for_each_write():
    assert set(table()) == set(WRITES)


@pytest.mark.parametrize("write", WRITES)
def test_a_write_fires_what_the_table_says(store, sent_events, sent_after, write):
    """`sent_events` registers the hooks before the write; what prepares it may fire too and does not count."""
    requests = WRITES[write](store)
    fired = [event for request in requests for event in sent_after(*request)]
    expected = table()[write]

    assert sorted(fired) in [sorted(hooks) for hooks in expected]
    assert about_people(fired) == about_people(expected[0])


def about_people(events):
    """The events of a customer, which are sent one after the other; a hook about stock is sent beside them."""
    return [event for event in events if event != "inventory_updated"]


def test_single_items_fire_their_stock_now_and_then(store, sent_after):
    fired = [event for _ in range(12) for event in sent_after("POST", "/v1/orders/", order_of(store, 1))]
    assert 0 < fired.count("inventory_updated") < 12
