"""The judge of the boxes is judged: what is lost, sent twice or sent although it was cancelled is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.chaos import table
from bench.chaos.accounting import Row
from bench.chaos.boxes.counting import BoxCounts, Sold, count_boxes
from bench.chaos.boxes.worker import REQUESTS, name_request
from bench.chaos.report import read
from tests.sandbox.compare.test_boxes import box, confirmed, order, shipped

OWED = Sold(owed=[7])
IN_TIME, TOO_LATE, NOT_OWED = Sold(in_time=[7]), Sold(too_late=[7]), Sold(not_owed=[7])


def count(
    boxes: list[dict[str, Any]], orders: list[dict[str, Any]], sold: Sold = OWED, state: str = "confirmed"
) -> BoxCounts:
    return count_boxes(sold, boxes, orders, {7: state})


def test_a_box_that_went_out_once_and_came_back_once():
    counts = count([confirmed()], [shipped()])

    assert (counts.owed, counts.sent_once, counts.confirmed_once, counts.mailed_once) == (1, 1, 1, 1)
    assert not counts.fails


@pytest.mark.parametrize(
    ("boxes", "orders"),
    [([box()], []), ([box()], [shipped()]), ([confirmed()], []), ([confirmed(emails=0)], [shipped()])],
    ids=["not sent", "not confirmed", "confirmed only", "not mailed"],
)
def test_a_box_that_did_not_go_out_or_come_back_is_lost(boxes: list[dict[str, Any]], orders: list[dict[str, Any]]):
    assert count(boxes, orders).lost == 1


@pytest.mark.parametrize(
    ("boxes", "orders"),
    [
        ([confirmed()], [shipped(), order(order_number="SUB-7-R1")]),
        ([confirmed()], [shipped(), order(stage="cancelled")]),
        ([confirmed(shipped_puts=2)], [shipped()]),
        ([confirmed(emails=2)], [shipped()]),
    ],
    ids=["two orders", "another order, cancelled", "two writings", "two e-mails"],
)
def test_a_box_that_went_out_or_was_written_again_is_twice(boxes: list[dict[str, Any]], orders: list[dict[str, Any]]):
    assert count(boxes, orders).twice == 1


def test_a_box_that_was_cancelled_in_time_may_not_go_out():
    cancelled = box(status="cancelled")

    assert count([cancelled], [order(stage="cancelled")], IN_TIME, "cancelled").cancelled == 1
    assert not count([cancelled], [], IN_TIME, "cancelled").fails
    assert count([cancelled], [shipped()], IN_TIME, "cancelled").wrong


def test_a_box_that_was_cancelled_before_anyone_saw_it_need_not_be_in_the_ledger():
    assert not count_boxes(Sold(at_once=[7]), [box(status="cancelled")], [], {}).fails
    assert count_boxes(OWED, [confirmed()], [shipped()], {}).wrong


def test_a_box_that_was_cancelled_too_late_goes_out_and_no_one_is_mailed():
    cancelled = box(status="cancelled", lines=0)

    assert not count([cancelled], [shipped()], TOO_LATE, "shipped_after_cancel").fails
    assert count([cancelled | {"emails": 1}], [shipped()], TOO_LATE, "shipped_after_cancel").wrong


def test_what_is_not_paid_for_may_not_go_out():
    unpaid = box(financial_status="unpaid")

    assert not count([unpaid], [], NOT_OWED, "held").fails
    assert count([unpaid], [order()], NOT_OWED, "held").wrong


@pytest.mark.parametrize("state", ["unknown", "confirming", "failed"])
def test_a_box_that_is_right_outside_and_not_at_its_end_in_the_ledger_is_seen(state: str):
    assert count([confirmed()], [shipped()], state=state).wrong


def test_the_content_and_the_address_are_compared_too():
    elsewhere = {"ship_to": {"name": "Robin Receiver", "address1": "9 New St", "zip": "00000"}}

    assert count([confirmed()], [shipped(received=elsewhere)]).wrong


def test_boxes_of_an_earlier_fault_do_not_count_and_orders_of_no_box_do():
    others = [confirmed(), box(id=8)]

    assert not count(others, [shipped(), order(shipment="8", order_number="SUB-8")]).fails
    assert count(others, [shipped(), order(shipment="9", order_number="SUB-9")]).wrong


def test_one_tracking_number_at_two_boxes_is_seen():
    assert count([confirmed(), confirmed(id=8)], [shipped()]).wrong


@pytest.mark.parametrize("counts", [BoxCounts(lost=1), BoxCounts(twice=1), BoxCounts(wrong=["shipment 7: sent"])])
def test_a_row_whose_boxes_are_wrong_does_not_hold_and_says_why(counts: BoxCounts, tmp_path: Path):
    row = Row("boxes, answers lost", "sqlite", boxes=counts)
    file = tmp_path / "run.json"
    file.write_text(json.dumps([row.as_json()]))

    assert (row.holds, table.cells(row)[-1]) == (False, "NO")
    assert all(text in table.line(row) for text in counts.wrong)
    assert read([file]) == [row]
    assert table.boxes_markdown([row]).splitlines()[-1].endswith("| NO |")


def test_without_boxes_there_is_no_table_of_them():
    assert table.boxes_markdown([Row("spool disk full", "sqlite")]) == ""


@pytest.mark.parametrize(
    ("request_line", "body", "name"),
    [
        ("POST http://w/cartrover/v1/cart/orders/cartrover", b"[]", "create cartrover"),
        ("GET http://w/cartrover/v1/cart/orders/SUB-7", b"", "find cartrover"),
        ("GET http://w/cartrover/v1/cart/orders/wms_cancel/SUB-7", b"", "cancel cartrover"),
        ("POST http://w/3pl/orders", b'{"referenceNum": "SUB-7"}', "create extensiv_3pl"),
        ("GET http://w/3pl/orders?rql=x", b"", "find extensiv_3pl"),
        ("POST http://w/3pl/orders/1/canceler", b"{}", "cancel extensiv_3pl"),
        ("POST http://w/generic", b'{"type": "order.create"}', "create signed_webhook"),
        ("POST http://w/generic", b'{"type": "order.cancel"}', "cancel signed_webhook"),
        ("PUT http://s/v1/shipments/7/", b"{}", "write"),
        ("GET http://w/cartrover/v1/cart/orders/list/shipped", b"", None),
    ],
)
def test_a_request_at_which_a_worker_may_die_is_recognised(request_line: str, body: bytes, name: str | None):
    method, url = request_line.split()

    assert name_request(method, url, body) == name
    assert name is None or name in REQUESTS
