"""The boxes by state, page by page, with what a reason says and a button that releases."""

from __future__ import annotations

import re

import pytest

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.causes import CAUSES
from pipeline.core.fulfilment import Package, State
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import find_order
from pipeline.ledger.fulfilment.quarantine import quarantine_packages
from pipeline.ledger.fulfilment.warehouses import update_warehouse
from receiver.pages.warehouse import orders
from receiver.pages.warehouse.orders import TABS
from tests.builders import NOW
from tests.receiver.pages.warehouse.conftest import READERS, WAREHOUSE, add_box

DAY_US = 86_400_000_000
IN_NO_TAB_BUT_ALL: set[State] = set()


@pytest.fixture
def boxes(pages, store_id, connected):
    with writing(pages.site.engine) as conn:
        add_box(conn, store_id, 1, State.READY)
        add_box(conn, store_id, 2, State.HELD, "unpaid")
        add_box(conn, store_id, 3, State.HELD, "missing_sku")
        add_box(conn, store_id, 4, State.CONFIRMED)
    return connected


def numbers_on(visitor):
    return re.findall(r">(SUB-[0-9R-]+)</a>", visitor.page)


def test_the_header_has_orders_once_a_warehouse_is_connected(pages, store_id, visitor, typed):
    before = "Orders" in visitor.go("/")
    visitor.go(f"{WAREHOUSE}/connect/cartrover")
    visitor.send(**typed)

    assert (before, '<a href="/orders">Orders</a>' in visitor.go("/")) == (False, True)


def test_the_header_counts_the_boxes_that_wait_for_a_person(boxes):
    assert '>Orders</a><span class="count">1</span>' in boxes.go("/")  # not one that only waits for its payment


def test_every_state_is_in_a_tab():
    assert set(State) - set().union(*(states for _, states in TABS.values())) == set()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["SUB-4", "SUB-3", "SUB-2", "SUB-1"]),
        ("?show=needs_you", ["SUB-3"]),
        ("?show=to_send", ["SUB-3", "SUB-2", "SUB-1"]),
        ("?show=confirmed", ["SUB-4"]),
        ("?reason=unpaid", ["SUB-2"]),
        ("?number=sub-1", ["SUB-1"]),
        ("?number=3", ["SUB-3"]),
        ("?kind=ecom", []),
        ("?store=acme&show=needs_you", ["SUB-3"]),
    ],
)
def test_the_address_narrows_the_list(boxes, query, shown):
    boxes.go(f"/orders{query}")

    assert numbers_on(boxes) == shown


@pytest.mark.parametrize("query", ["?show=everything", "?store=not-mine", "?kind=postal", "?before=x"])
def test_an_address_that_cannot_be_read_is_not_found(boxes, query):
    boxes.go(f"/orders{query}")

    assert boxes.status == 404


def test_pages_follow_each_other_without_a_box_twice_or_left_out(boxes, monkeypatch):
    monkeypatch.setattr(orders, "PAGE_SIZE", 3)
    boxes.go("/orders")
    first = numbers_on(boxes)
    boxes.go(re.search(r'class="more" href="([^"]+)"', boxes.page)[1].replace("&amp;", "&"))

    assert (first, numbers_on(boxes)) == (["SUB-4", "SUB-3", "SUB-2"], ["SUB-1"])
    assert 'class="more"' not in boxes.page


def test_a_held_box_has_its_reason_its_cure_and_a_button_if_it_may_be_released(boxes):
    boxes.go("/orders?show=to_send")

    assert "An order behind the box is not paid. It goes out when Cratejoy says paid." in boxes.text
    assert 'aria-label="Release SUB-2"' in boxes.page
    assert 'aria-label="Release SUB-3"' not in boxes.page


def test_a_release_from_the_list_comes_back_to_the_list(pages, store_id, boxes):
    boxes.go("/orders?show=to_send")
    boxes.send("/stores/acme/orders/SUB-2/release?show=to_send")

    with reading(pages.site.engine) as conn:
        row = find_order(conn, store_id, "SUB-2")
    assert (row.state, row.released) == (State.READY, ["unpaid"])
    assert (boxes.where, numbers_on(boxes)) == ("/orders", ["SUB-3", "SUB-2", "SUB-1"])


def test_a_reader_sees_the_list_without_buttons(pages, boxes):
    reader = pages.logged_in(READERS)
    reader.go("/orders")

    assert (len(numbers_on(reader)), "Release" in reader.text) == (4, False)


@pytest.mark.parametrize(
    ("show", "state", "columns"),
    [
        ("paid_not_sent", State.READY, {"due_at": NOW - DAY_US}),
        ("sent_without_tracking", State.AT_WAREHOUSE, {"sent_at": NOW - 6 * DAY_US}),
        ("shipped_customer_not_informed", State.SHIPPED, {"shipped_at": NOW - DAY_US}),
    ],
)
def test_the_three_lists_name_what_is_late(pages, store_id, boxes, show, state, columns):
    pages.clock[0] = NOW + 2 * 3_600_000_000
    with writing(pages.site.engine) as conn:
        add_box(conn, store_id, 9, state, **columns)
    boxes.go(f"/orders?show={show}")

    assert numbers_on(boxes) == ["SUB-9"]


def test_what_needs_a_person_is_the_same_on_both_pages_and_leads_from_one_to_the_other(pages, store_id, connected):
    with writing(pages.site.engine) as conn:
        update_warehouse(conn, store_id, mode="live")
        add_box(conn, store_id, 1, State.HELD, "missing_sku")
        for number in (2, 3):
            add_box(conn, store_id, number, State.CANCEL_REFUSED, "too_late")
        add_box(conn, store_id, 4, State.EXTERNALLY_SHIPPED, "marked_at_cratejoy")
        add_box(conn, store_id, 5, State.FAILED, "seen_by_person")
        add_box(conn, store_id, 6, State.HELD, "unpaid", due_at=NOW - DAY_US)
        for number in (7, 8):
            add_box(conn, store_id, number, State.AT_WAREHOUSE, notice="address_changed", notice_at=NOW)
        add_box(conn, store_id, 9, State.SHIPPED, shipped_at=NOW)
        quarantine_packages(conn, store_id, "SUB-77", [Package("1Z999", "UPS")], NOW, is_complete=True)
    pages.clock[0] = NOW + DAY_US // 12  # the customer of one waits for two hours
    sync_alarms(pages.site, CAUSES)
    connected.go("/orders?show=needs_you")
    needed = sorted(numbers_on(connected))
    connected.go("/attention")
    links = re.findall(r'<a class="button" href="([^"]+)"', connected.page)
    shown = {}
    for link in links:
        connected.go(link.replace("&amp;", "&"))
        shown[connected.where] = shown.get(connected.where, []) + numbers_on(connected)

    assert needed == ["SUB-1", "SUB-2", "SUB-3", "SUB-4"]
    assert sorted(shown.pop("/orders")) == ["SUB-2", "SUB-3", "SUB-7", "SUB-8"]
    assert sorted(shown) == [
        "/stores/acme/orders/SUB-1",
        "/stores/acme/orders/SUB-4",
        "/stores/acme/orders/SUB-9",
        "/stores/acme/tracking",
    ]
