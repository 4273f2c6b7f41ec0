"""One box: its life, its address for this page only, and what a person may decide about it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.core.fulfilment import Address, Line, Order, Package, State
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.sealed_order import seal_order
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import find_order
from pipeline.ledger.fulfilment.packages import add_packages
from pipeline.ledger.fulfilment.warehouses import update_warehouse
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.schema.core import EventSubject
from pipeline.ledger.schema.fulfilment import FulfilmentOrder
from receiver.pages.warehouse.wording import EVENTS, STATES
from tests.builders import NOW, order
from tests.pipeline.ledger.rows import add_event
from tests.receiver.pages.warehouse.conftest import OPERATORS, READERS, add_box

BOX = "/stores/acme/orders/SUB-1"
HOUR_US = 3_600_000_000
MILA = Address("Mila Šimůnek", "1 Elm Street", "Austin", "US", zip="78701", email="mila@example.com")


@pytest.fixture
def put(pages, store_id, connected):
    """Puts the box SUB-1 there, and opens its page."""

    def add(state, reason=None, **columns):
        with writing(pages.site.engine) as conn:
            row = add_box(conn, store_id, 1, state, reason, **columns)
        connected.go(BOX)
        return row

    return add


def row_of(pages, store_id, number="SUB-1"):
    with reading(pages.site.engine) as conn:
        return find_order(conn, store_id, number)


def seal(pages, row):
    line = Line(1, "BOX", "BOX", "Box", 1, (11,))
    built = Order("SUB-1", 1, "subscription", "adhoc", NOW, NOW, "SUBSCRIPTION", MILA, (line,), "f")
    sealed = seal_order(pages.site.settings.secret_keys, row.identity, built)
    with writing(pages.site.engine) as conn:
        conn.execute(update(FulfilmentOrder).values(payload=sealed))


def test_every_state_and_every_event_has_its_words():
    assert set(State) - set(STATES) == set()
    assert set(Seen) - set(EVENTS) - {"found"} == set()


def test_a_box_shows_its_way_its_life_and_its_parcels(pages, store_id, connected, put):
    row = put(State.CONFIRMED, sent_at=NOW, shipped_at=NOW + HOUR_US, confirmed_at=NOW + 2 * HOUR_US)
    with writing(pages.site.engine) as conn:
        add_packages(conn, row.id, [Package("1Z999", "UPS", url="https://ups.example.com/1Z999")], "poll", NOW)
    connected.go(BOX)

    assert connected.page.count('class="reached"') == 4
    assert "Found at Cratejoy" in connected.text
    assert ("1Z999 UPS" in connected.text, 'href="https://ups.example.com/1Z999"' in connected.page) == (True, True)


def test_the_events_of_its_order_are_part_of_its_life(pages, store_id, connected, put):
    with writing(pages.site.engine) as conn:
        event_id = add_event(conn, store_id, 1, data=order(id=7001))
        about = {"event_id": event_id, "store_id": store_id, "kind": "order", "subject_id": 7001}
        conn.execute(insert(EventSubject).values(about))
    put(State.READY, order_ids=[7001])

    assert "Paid" in connected.text
    assert 'href="/activity/1"' in connected.page


def test_an_address_that_no_browser_should_open_is_no_link(pages, connected, put):
    row = put(State.SHIPPED)
    with writing(pages.site.engine) as conn:
        add_packages(conn, row.id, [Package("1Z999", url="javascript:alert(1)")], "poll", NOW)

    assert "javascript:" not in connected.go(BOX)


def test_the_address_is_shown_on_the_page_of_the_box_and_on_no_other(pages, connected, put):
    seal(pages, put(State.READY))

    assert ("Mila Šimůnek" in connected.go(BOX), "1 Elm Street" in connected.page) == (True, True)
    assert "Mila" not in connected.go("/orders") + connected.go("/stores/acme/warehouse")


def test_in_dry_run_a_box_that_is_ready_says_that_it_stays(connected, put):
    put(State.READY)
    box = connected.text
    connected.go("/orders")

    assert "It does not go out now: the warehouse is in dry run" in box
    assert "acme: the warehouse is in dry run, so no box goes out." in connected.text


def test_a_cooling_box_counts_down(connected, put):
    put(State.DISCOVERED, "cooling_off", next_attempt_at=NOW + 5 * HOUR_US)

    assert "It cools off until 2026-03-02 21:46:40 UTC ( in 5 h )" in connected.text


@pytest.mark.parametrize(
    ("state", "reason", "columns", "buttons"),
    [
        ("held", "unpaid", {}, ["Release", "Try again now"]),
        ("held", "missing_sku", {}, ["Try again now"]),
        ("held", "conflict", {}, ["Release", "Try again now", "Send again …", "The warehouse has it …"]),
        ("discovered", "cooling_off", {}, ["Release"]),
        ("failed", "confirm_failed", {}, ["Try again now", "Leave it so"]),
        ("cancelled", "cancelled_at_cratejoy", {}, ["Send again …"]),
        ("shipped_after_cancel", "parcel_after_cancel", {}, ["Write its tracking …", "Leave it so"]),
        ("shipped", None, {"next_attempt_at": NOW + 1}, ["Try again now"]),
        ("shipped", None, {}, []),
        ("at_warehouse", None, {"notice": "address_changed", "notice_at": NOW}, ["Seen"]),
        ("confirmed", None, {}, []),
    ],
)
def test_a_box_has_exactly_the_buttons_that_do_something(  # noqa: PLR0917 - a row of the table
    pages, store_id, connected, put, state, reason, columns, buttons
):
    with writing(pages.site.engine) as conn:
        update_warehouse(conn, store_id, mode="live")
    put(State(state), reason, **columns)
    above = connected.page.partition('class="buttons above"')[2].partition("</ol>")[0].partition('<ol class="way"')[0]

    shown = ["Release", "Try again now", "Send again …", "The warehouse has it …", "Write its tracking …"]
    assert [one for one in [*shown, "Leave it so", "Seen"] if f">{one}<" in above] == buttons


def test_a_release_is_in_the_life_of_the_box_and_in_the_audit_log(pages, store_id, connected, put):
    put(State.HELD, "unpaid")
    connected.send(f"{BOX}/release")
    with reading(pages.site.engine) as conn:
        actions = [(one.action, one.about) for one in list_actions(conn, None)]

    assert "SUB-1: Released. It goes out with the next delivery." in connected.text
    assert "Released by a person (bea@example.com)" in connected.text
    assert ("box.release", {"order": 1, "shipment": 1}) in actions


def test_sending_again_asks_first_and_takes_a_new_number(pages, store_id, connected, put):
    put(State.CANCELLED, "cancelled_at_cratejoy")
    connected.go("/account")
    connected.send(f"{BOX}/resend")
    asked, said, before = connected.where, connected.text, row_of(pages, store_id, "SUB-1-R1")
    connected.send()

    assert (asked, before) == (f"{BOX}/resend", None)
    assert "Take the cancel back at Cratejoy first" in said
    assert "the customer gets two" not in connected.text
    assert (connected.where, row_of(pages, store_id, "SUB-1-R1").state) == ("/stores/acme/orders/SUB-1-R1", "ready")


def test_the_first_box_says_under_which_number_it_was_sent_again(connected, put):
    put(State.CANCELLED, "cancelled_at_cratejoy")
    connected.go(f"{BOX}/resend")
    connected.send()
    connected.go(BOX)

    assert "It was sent again as SUB-1-R1" in connected.text


def test_what_cannot_be_done_is_said_with_its_reason(pages, store_id, connected, put):
    put(State.CONFIRMED)
    connected.go("/account")
    connected.send(f"{BOX}/release")

    assert "Nothing was changed. SUB-1 is confirmed: only a box that is held can be released." in connected.text


@pytest.mark.parametrize(("email", "status"), [(READERS, 403), (OPERATORS, 200)])
def test_operators_decide_about_boxes_and_readers_look(pages, store_id, put, email, status):
    put(State.HELD, "unpaid")
    other = pages.logged_in(email)
    has_buttons = 'class="buttons above"' in other.go(BOX)
    other.go("/account")
    other.send(f"{BOX}/release")

    assert (other.status, has_buttons) == (status, email == OPERATORS)


@pytest.mark.parametrize("path", ["/stores/acme/orders/SUB-7", f"{BOX}/burn"])
def test_what_there_is_not_is_not_found(connected, put, path):
    put(State.HELD, "unpaid")
    connected.go(path)

    assert connected.status == 404
