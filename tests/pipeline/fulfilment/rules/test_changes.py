from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.fulfilment.rules.changes import find_changes, find_news, is_another_request, mark_changes
from pipeline.fulfilment.settings import ShipCode
from tests.pipeline.fulfilment.rules.boxes import NUMBERING, SETTINGS, address, body, build, item, order

SENT = build(body())


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ()),
        ({"ship_address": address(unit="Unit 3")}, ("address_changed",)),
        ({"fulfillments": [item(), item(id=2)]}, ("lines_changed",)),
        ({"fulfillments": [item(), item(id=2, status="cancelled")]}, ()),
        ({"fulfillments": [item(id=2)]}, ()),
        ({"is_gift": True}, ("gift_changed",)),
        ({"batch": {"id": 5, "end": "2026-02-28T23:59:59Z"}}, ("date_moved",)),
        ({"batch": {"id": 5, "end": "2026-01-28T23:59:59Z"}}, ()),
        (
            {"ship_address": address(city="Elsewhere"), "fulfillments": [item(), item(id=2)]},
            ("address_changed", "lines_changed"),
        ),
        # The buyer's e-mail address is none of the box.
        ({"fulfillments": [item(order=order(customer={"id": 60000001, "email": "new@example.com"}))]}, ()),
    ],
)
def test_what_the_shop_changed_after_the_sending_is_named(changes, codes):
    assert find_changes(SENT, build(body(**changes))) == codes


MOVED = {"ship_address": address(unit="Unit 3")}
MOVED_AGAIN = {"ship_address": address(unit="Unit 4")}
MORE = {"fulfillments": [item(), item(id=2)]}
LATER = {"batch": {"id": 5, "end": "2026-02-28T23:59:59Z"}}


@pytest.mark.parametrize(
    ("before", "now", "news"),
    [
        ({}, MOVED, ("address_changed",)),
        (MOVED, MOVED, ()),
        (MOVED, MOVED_AGAIN, ("address_changed",)),
        (MOVED, MOVED | MORE, ("lines_changed",)),
        (MOVED | MORE, MORE, ("address_changed",)),  # back to where it was sent: the warehouse may have been asked
        (LATER, {}, ()),
        (LATER, {"batch": {"id": 5, "end": "2026-03-28T23:59:59Z"}}, ("date_moved",)),
    ],
)
def test_only_what_a_person_was_not_shown_yet_is_news(before, now, news):
    said = mark_changes(SENT, build(body(**before)))

    assert find_news(mark_changes(SENT, build(body(**now))), said) == news


def test_a_mark_is_too_short_to_say_what_it_is_of():
    marks = mark_changes(SENT, build(body(**MOVED, **MORE)))

    assert {len(mark) for mark in marks.values()} == {8}


def test_a_change_of_the_settings_is_no_change_of_the_box():
    settings = replace(
        SETTINGS, sku_aliases={"BOX": "W-BOX"}, ship_code_map={"SUBSCRIPTION": ShipCode("X")}, sku_suffix="yymm"
    )
    now = build(body(), settings, replace(NUMBERING, country_format="alpha3"))

    assert find_changes(SENT, now) == ()


@pytest.mark.parametrize(
    ("changes", "settings", "is_another"),
    [
        ({}, SETTINGS, False),
        ({}, replace(SETTINGS, sku_aliases={"BOX": "W-BOX"}), True),
        ({}, replace(SETTINGS, ship_code_map={"SUBSCRIPTION": ShipCode("X")}), True),
        ({"ship_address": address(city="Elsewhere")}, SETTINGS, True),
    ],
)
def test_a_refused_order_is_asked_for_again_only_if_it_is_another(changes, settings, is_another):
    assert is_another_request(SENT, build(body(**changes), settings)) is is_another
