"""Tracking of no box: shown until a person attaches it to one, or dismisses it."""

from __future__ import annotations

import pytest

from pipeline.core.fulfilment import Package, State
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import find_order
from pipeline.ledger.fulfilment.packages import list_packages
from pipeline.ledger.fulfilment.quarantine import list_quarantined, quarantine_packages
from pipeline.ledger.queries.audit import list_actions
from tests.builders import NOW
from tests.receiver.pages.warehouse.conftest import READERS, add_box

TRACKING = "/stores/acme/tracking"


@pytest.fixture
def kept(pages, store_id, connected):
    with writing(pages.site.engine) as conn:
        quarantine_packages(conn, store_id, "SUB-77", [Package("1Z999", "UPS")], NOW, is_complete=True)
        add_box(conn, store_id, 1, State.AT_WAREHOUSE)
        add_box(conn, store_id, 2, State.HELD, "unpaid")
    connected.go(TRACKING)
    return connected


def quarantined(pages, store_id):
    with reading(pages.site.engine) as conn:
        return [one.tracking_number for one in list_quarantined(conn, store_id)]


def test_it_is_shown_with_the_number_that_the_warehouse_named(kept):
    assert "1Z999 UPS, for order SUB-77" in kept.text


def test_the_list_of_orders_leads_to_it(kept):
    kept.go("/orders")

    assert "1 parcel of no known box" in kept.text
    assert f'href="{TRACKING}"' in kept.page


def test_it_is_attached_to_the_box_that_a_person_names(pages, store_id, kept):
    kept.send(f"{TRACKING}/1/attach", order_number="sub-1")
    with reading(pages.site.engine) as conn:
        row = find_order(conn, store_id, "SUB-1")
        parcels = [one.tracking_number for one in list_packages(conn, [row.id])]
        actions = [one.action for one in list_actions(conn, None)]

    assert "Attached to SUB-1." in kept.text
    assert (row.state, parcels, quarantined(pages, store_id)) == (State.SHIPPED, ["1Z999"], [])
    assert "tracking.attached" in actions


def test_it_is_dismissed(pages, store_id, kept):
    kept.send(f"{TRACKING}/1/dismiss")

    assert ("Dismissed" in kept.text, quarantined(pages, store_id)) == (True, [])
    assert "No parcel without a box." in kept.text


@pytest.mark.parametrize(
    ("action", "number", "said"),
    [
        ("1/attach", "SUB-7", "the store has no box SUB-7"),
        ("1/attach", "", "the store has no box"),
        ("1/attach", "SUB-2", "SUB-2 is held: mark it as sent first"),
        ("9/dismiss", "", "there is no tracking 9 in quarantine"),
    ],
)
def test_what_cannot_be_done_is_said(pages, store_id, kept, action, number, said):
    kept.send(f"{TRACKING}/{action}", order_number=number)

    assert said.casefold() in kept.text.casefold()
    assert quarantined(pages, store_id) == ["1Z999"]


def test_a_number_that_is_no_box_stays_in_its_field_with_what_is_wrong(kept):
    kept.send(f"{TRACKING}/1/attach", order_number="SUB-7")

    assert (kept.status, 'value="SUB-7" autofocus aria-describedby=" box-1-errors"' in kept.page) == (422, True)


def test_a_reader_looks_and_does_not_decide(pages, store_id, kept):
    reader = pages.logged_in(READERS)
    page = reader.go(TRACKING)
    reader.go("/account")
    reader.send(f"{TRACKING}/1/dismiss")

    assert ("Attach" in page, reader.status, quarantined(pages, store_id)) == (False, 403, ["1Z999"])
