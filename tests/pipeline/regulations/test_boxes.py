"""The boxes of a person who is erased or exported: names and addresses go, ids stay."""

from __future__ import annotations

import json

from pipeline.core.fulfilment import Address, Line, Order, State
from pipeline.fulfilment.sealed_order import seal_order
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import NewOrder, change_order, get_order, insert_order
from pipeline.regulations.export import export_person
from pipeline.regulations.people import find_person
from tests.builders import BUYER, NOW, order
from tests.pipeline.regulations.conftest import KEYS

BEA = Address("Bea Buyer", "1 Oak Road", "Austin", "US", zip="73301")
RORY = Address("Rory Receiver", "12 Elm Street", "Austin", "US", zip="73301")


def add_box(ledger, number, address, *, is_gift=False):
    """A box of the buyer's order, sent to this address."""
    line = Line(1, "BOX", "BOX", "Tea Box", 1, (5,))
    content = Order(
        *(f"SUB-{number}", number, "subscription", "adhoc", NOW, NOW, "FLAT", address, (line,), "fingerprint"),
        customer_id=BUYER["id"],
        is_gift=is_gift,
    )
    with writing(ledger.engine) as conn:
        new = NewOrder(1, number, f"SUB-{number}", "subscription", "adhoc", State.AT_WAREHOUSE)
        row = insert_order(conn, new, NOW, customer_id=BUYER["id"], is_gift=is_gift)
        change_order(conn, row, NOW, payload=seal_order(KEYS, row.identity, content))
    return row.id


def export(ledger):
    with reading(ledger.engine) as conn:
        return export_person(conn, find_person(conn, ledger.store, BUYER["email"]), NOW, KEYS)


def test_an_export_has_the_persons_boxes_with_where_they_went(ledger):
    ledger.record(ledger.hook("order_new", order()))
    add_box(ledger, 1, BEA)

    (box,) = export(ledger)["boxes"]

    assert (box["order_number"], box["ship_to"]["address1"]) == ("SUB-1", "1 Oak Road")


def test_the_address_of_a_gift_is_not_the_givers_to_see(ledger):
    ledger.record(ledger.hook("order_new", order()))
    add_box(ledger, 1, RORY, is_gift=True)

    assert export(ledger)["boxes"][0]["ship_to"] is None
    assert "Elm Street" not in json.dumps(export(ledger)["boxes"])


def test_an_erased_person_leaves_ids_and_no_address(ledger):
    ledger.record(ledger.hook("order_new", order()))
    box = add_box(ledger, 1, BEA)
    ledger.erase(BUYER["email"])

    with reading(ledger.engine) as conn:
        row = get_order(conn, box)
    assert (row.payload, row.is_erased, row.order_number) == (None, True, "SUB-1")
