"""Amounts, booleans and addresses in other dress, by switch for every hook and by the mix for some."""

import json
import unicodedata

import pytest

from sandbox.store.webhooks import value_formats

BODY = {
    "type": "order",
    "id": 7093400015,
    "total": 595,
    "credit": None,
    "is_gift": True,
    "customer": {"email": "dana@example.com", "total_revenue": 3495},
    "products": [{"price": 0, "quantity": 2, "to": "Dana Buyer"}],
}


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("iso", "2026-03-02T17:04:31Z"),
        ("epoch_ms", 1772471071000),
        ("epoch_s", 1772471071),
        ("fraction", "2026-03-02T17:04:31.000Z"),
        ("blank", "2026-03-02 17:04:31Z"),
    ],
)
def test_dates_have_the_form_asked_for_wherever_they_are(form, written):
    body = {"name": "2026-03-02T17:04:31Z", "boxes": [{"shipped_at": None, "created_at": "2026-03-02T17:04:31Z"}]}
    expected = {"name": "2026-03-02T17:04:31Z", "boxes": [{"shipped_at": None, "created_at": written}]}
    assert value_formats.format_dates(form)(body) == expected


@pytest.mark.parametrize(
    ("form", "total", "revenue"),
    [
        ("minor", 595, 3495),
        ("decimal", 5.95, 34.95),
        ("text", "595", "3495"),
        ("decimal_text", "5.95", "34.95"),
    ],
)
def test_amounts_have_the_form_asked_for_wherever_they_are(form, total, revenue):
    written = value_formats.format_amounts(form)(BODY)
    assert (written["total"], written["customer"]["total_revenue"], written["credit"]) == (total, revenue, None)


def test_what_is_no_amount_stays_a_whole_number():
    written = value_formats.format_amounts("decimal_text")(BODY)
    assert (written["id"], written["products"][0]["quantity"]) == (7093400015, 2)


@pytest.mark.parametrize(("form", "value"), [("json", True), ("text", "true"), ("title_text", "True")])
def test_booleans_have_the_form_asked_for(form, value):
    assert value_formats.format_booleans(form)(BODY)["is_gift"] == value


def seen(text):
    """What a reader of the text would see."""
    return "".join(
        char for char in text if unicodedata.category(char) not in {"Cf", "Cc"} and char not in "\u00a0\u2009"
    )


@pytest.mark.parametrize("local", ["dana", "robin.receiver", "li", "zoe+box", "o.neil7"])
def test_an_address_with_an_invisible_character_looks_the_same(local):
    email = f"{local}@example.com"
    written = value_formats.add_invisible_characters({"email": email})["email"]
    assert written != email
    assert seen(written) == email


def test_one_address_always_has_the_same_invisible_character():
    assert value_formats.add_invisible_characters(BODY) == value_formats.add_invisible_characters(BODY)


def test_a_name_is_no_address():
    assert value_formats.add_invisible_characters({"first_name": "Dana", "gift_message": "Hi"}) == {
        "first_name": "Dana",
        "gift_message": "Hi",
    }


@pytest.fixture
def orders(shop, recorder):
    """A function that lives a little, and returns the bodies of order_new."""

    def live(switches=None, mix=None):
        shop.control("switches", switches or {})
        shop.listen(recorder)
        shop.live(60, mix=mix or {})
        bodies = [json.loads(json.loads(one.body)) for one in recorder.received if one.event == "order_new"]
        assert bodies
        return bodies

    return live


def test_a_switch_dresses_every_hook(orders):
    bodies = orders({"money": "decimal", "booleans": "text", "invisible": True})
    assert all(isinstance(body["total"], float) and body["is_renewal"] == "false" for body in bodies)
    assert all(seen(body["customer"]["email"]) != body["customer"]["email"] for body in bodies)


@pytest.mark.parametrize(
    ("mix", "kind"),
    [({"decimal_money": 1}, float), ({"text_values": 1}, str), ({"decimal_money": 1, "text_values": 1}, str)],
)
def test_the_mix_dresses_hooks_by_chance(orders, mix, kind):
    assert {type(body["total"]) for body in orders(mix=mix)} == {kind}


def test_a_mix_of_half_dresses_some_hooks(orders):
    assert {type(body["total"]) for body in orders(mix={"decimal_money": 0.5})} == {float, int}


def test_the_truth_keeps_the_address_as_it_is_seen(shop, orders):
    orders({"invisible": True})
    emails = [person["email"] for person in shop.truth()["people"]]
    assert [seen(email) for email in emails] == emails


def test_the_answers_of_the_api_are_dressed_only_if_asked(shop):
    [customer_id, *_] = shop.people(3)
    shop.control("switches", {"money": "decimal", "dates": "epoch_ms", "booleans": "text"})
    [order, *_] = shop.get("/v1/orders/")["results"]
    assert (type(order["total"]), type(order["placed_at"]), order["is_test"]) == (int, str, False)
    shop.control("switches", {"api_values": True})
    [order, *_] = shop.get("/v1/orders/")["results"]
    assert (type(order["total"]), type(order["placed_at"]), order["is_test"]) == (float, int, "false")
    assert isinstance(shop.get(f"/v1/customers/{customer_id}/")["total_revenue"], float)
