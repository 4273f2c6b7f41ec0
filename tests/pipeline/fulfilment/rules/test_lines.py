from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.fulfilment import Totals
from pipeline.fulfilment.rules.order import Numbering
from pipeline.fulfilment.settings import ShipCode
from tests.pipeline.fulfilment.rules.boxes import SETTINGS, at, body, build, hold, item, one_off, order

ORDER_NUMBERING = Numbering("90000001", "order", "EUR")


def instance(sku="BOX", **changes):
    return {"id": 1, "sku": sku, "price": 700, "product": {"name": "Tea Box"}, "variants": []} | changes


def lines(*items, settings=SETTINGS, **changes):
    return [(line.sku, line.quantity) for line in build(body(fulfillments=list(items), **changes), settings).lines]


def test_equal_things_are_one_line():
    box, mug = instance(), instance("MUG", id=2)
    made = build(body(fulfillments=[item(id=3, instance=box), item(id=2, instance=mug), item(id=1, instance=box)]))

    [first, second] = made.lines
    assert (first.line_no, first.sku, first.quantity, first.fulfillment_ids) == (1, "BOX", 2, (1, 3))
    assert (second.line_no, second.sku, second.quantity, second.fulfillment_ids) == (2, "MUG", 1, (2,))


def test_things_of_different_variants_are_lines_of_their_own():
    large, small = instance("BOX-L", id=1), instance("BOX-S", id=2)

    assert lines(item(id=1, instance=large), item(id=2, instance=small)) == [("BOX-L", 1), ("BOX-S", 1)]


def test_what_was_cancelled_is_not_packed():
    assert lines(item(id=1), item(id=2, status="cancelled")) == [("BOX", 1)]


def test_variants_are_in_the_description():
    variants = [
        {"type": "Size", "value": "Medium"},
        {"type": "Color", "value": "Red"},
        {"type": "Extra", "value": None},
    ]

    [line] = build(body(fulfillments=[item(instance=instance(variants=variants))])).lines

    assert line.description == "Tea Box (Size: Medium, Color: Red)"


def test_a_thing_without_a_name_is_described_by_its_sku():
    [line] = build(body(fulfillments=[item(instance={"id": 1, "sku": "BOX"})])).lines

    assert line.description == "BOX"


@pytest.mark.parametrize(
    ("suffix", "end", "cycle", "sku"),
    [
        ("none", "2026-02-01T00:00:00Z", 3, "BOX"),
        ("yymm", "2026-02-01T00:00:00Z", 3, "BOX-2602"),
        ("yymm", "2026-01-31T23:59:59Z", 3, "BOX-2601"),
        ("year_week", "2026-02-01T00:00:00Z", 3, "BOX-2605"),
        ("year_week", "2026-02-02T00:00:00Z", 3, "BOX-2606"),
        # ISO: the last days of a year may be week 1 of the next, and week 53 becomes 52.
        ("year_week", "2024-12-30T00:00:00Z", 3, "BOX-2501"),
        ("year_week", "2020-12-31T00:00:00Z", 3, "BOX-2052"),
        ("year_week", "2027-01-03T00:00:00Z", 3, "BOX-2652"),
        ("cycle", "2026-02-01T00:00:00Z", 1, "BOX-1"),
        ("cycle", "2026-02-01T00:00:00Z", 12, "BOX-12"),
    ],
)
def test_a_subscriptions_sku_has_the_suffix_of_the_settings(suffix, end, cycle, sku):
    settings = replace(SETTINGS, sku_suffix=suffix)

    assert lines(item(), settings=settings, batch={"id": 5, "end": end}, sub_cycle=cycle) == [(sku, 1)]


def test_a_one_off_thing_in_a_subscriptions_box_has_no_suffix():
    add_on = item(id=2, subscription_id=None, instance=instance("MUG", id=2))

    assert lines(item(), add_on, settings=replace(SETTINGS, sku_suffix="cycle")) == [("BOX-3", 1), ("MUG", 1)]


def test_a_one_off_order_has_no_suffix():
    settings = replace(SETTINGS, sku_suffix="yymm")

    assert build(one_off(), settings, ORDER_NUMBERING).lines[0].sku == "MUG"


@pytest.mark.parametrize("billing_type", ["adhoc", "standard"])
def test_where_no_thing_names_its_subscription_the_billing_type_says_that_it_is_one(billing_type):
    settings = replace(SETTINGS, sku_suffix="cycle")

    assert lines(item(subscription_id=None), settings=settings, billing_type=billing_type) == [("BOX-3", 1)]


@pytest.mark.parametrize(
    ("aliases", "sku"),
    [
        ({"BOX-3": "W-THREE", "BOX": "W-BOX"}, "W-THREE"),
        ({"BOX": "W-BOX"}, "W-BOX"),
        ({"box": "W-BOX"}, "BOX-3"),
        ({}, "BOX-3"),
    ],
)
def test_an_alias_is_sought_with_the_suffix_first(aliases, sku):
    settings = replace(SETTINGS, sku_suffix="cycle", sku_aliases=aliases)

    [line] = build(body(), settings).lines

    assert (line.sku, line.source_sku) == (sku, "BOX")


@pytest.mark.parametrize(
    ("mode", "skus", "kept"),
    [
        ("none", ("BOX",), ["BOX", "MUG"]),
        ("allow", ("BOX",), ["BOX"]),
        ("deny", ("BOX",), ["MUG"]),
        ("allow", (), []),
        ("deny", (), ["BOX", "MUG"]),
    ],
)
def test_the_item_filter_leaves_out_by_cratejoys_sku(mode, skus, kept):
    settings = replace(SETTINGS, item_filter=mode, item_filter_skus=skus)
    things = body(fulfillments=[item(id=1), item(id=2, instance=instance("MUG", id=2))])

    if kept:
        assert [line.sku for line in build(things, settings).lines] == kept
    else:
        assert hold(things, settings).reason == "missing_lines"


def test_a_thing_without_a_sku_holds_the_box_even_beside_others():
    held = hold(body(fulfillments=[item(id=1), item(id=2, instance={"id": 2})]))

    assert (held.reason, held.fields) == ("missing_sku", ("2",))


def test_a_one_off_order_has_its_prices():
    bought = [
        item(id=number, subscription_id=None, shipping=500, tax=100, order=order(subscriptions=[]), instance=instance())
        for number in (1, 2)
    ]

    made = build(one_off(fulfillments=bought), numbering=ORDER_NUMBERING)

    assert [line.unit_price for line in made.lines] == [700]
    assert made.totals == Totals("EUR", 1400, 1000, 200, 0, 2600)


@pytest.mark.parametrize(
    ("billing_type", "kind", "found"),
    [(None, "subscription", "standard"), (None, "order", "standard"), ("adhoc", "subscription", "adhoc")],
)
def test_an_order_names_its_billing_type(billing_type, kind, found):
    assert build(body(billing_type=billing_type), numbering=Numbering("1", kind)).billing_type == found


@pytest.mark.parametrize(("kind", "found"), [("subscription", "adhoc"), ("order", "ecom")])
def test_where_the_billing_type_is_not_shown_an_order_is_built_by_its_kind(kind, found):
    hidden = body(billing_type=None, batch=None)

    assert build(hidden, numbering=Numbering("1", kind)).billing_type == found


@pytest.mark.parametrize(
    ("placed", "created", "ordered"),
    [
        (["2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z"], "2026-01-01T00:00:00Z", "2026-01-02T00:00:00"),
        ([None, "2026-01-02T00:00:00Z"], "2026-01-01T00:00:00Z", "2026-01-02T00:00:00"),
        ([None, None], "2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        ([None, None], None, "2026-01-10T00:00:00"),
    ],
)
def test_a_box_was_ordered_with_its_first_order_or_when_it_was_made(placed, created, ordered):
    things = [item(id=number, order=order(id=number, placed_at=time)) for number, time in enumerate(placed, start=1)]

    assert build(body(created_at=created, fulfillments=things)).ordered_at == at(ordered)


@pytest.mark.parametrize("sent", [body(fulfillments=[item(instance=instance())]), one_off(is_gift=True)])
def test_a_subscriptions_box_and_a_gift_have_no_prices(sent):
    kind = "order" if sent["billing_type"] == "ecom" else "subscription"

    made = build(sent, numbering=Numbering("90000001", kind))

    assert {line.unit_price for line in made.lines} == {0}
    assert made.totals == Totals()


@pytest.mark.parametrize(
    ("mode", "sent", "kind", "code"),
    [
        ("order_type", body(), "subscription", "SUBSCRIPTION"),
        ("order_type", one_off(), "order", "ORDER"),
        ("shipping_charge", body(), "subscription", "FREE"),
        ("shipping_charge", body(fulfillments=[item(order=order(total_shipping=1))]), "subscription", "CHARGED"),
        ("shipping_charge", body(fulfillments=[item(shipping=1)]), "subscription", "CHARGED"),
        (
            "shipping_charge",
            body(fulfillments=[item(), item(id=2, shipping=1, status="cancelled")]),
            "subscription",
            "FREE",
        ),
    ],
)
def test_a_ship_code_says_the_kind_or_the_charge(mode, sent, kind, code):
    settings = replace(SETTINGS, ship_code_mode=mode)

    made = build(sent, settings, Numbering("1", kind))

    assert (made.ship_code, made.carrier) == (code, "")


def test_a_ship_code_is_mapped():
    settings = replace(SETTINGS, ship_code_map={"SUBSCRIPTION": ShipCode("Priority", "USPS")})

    made = build(body(), settings)

    assert (made.carrier, made.ship_code) == ("USPS", "Priority")
