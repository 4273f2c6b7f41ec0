"""A store whose warehouse is a spreadsheet: boxes go out in files, and tracking comes back in files, once each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.exports import Wanted, export_boxes, repeat_export
from pipeline.fulfilment.imports import import_file, preview_file
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.quarantine import list_quarantined
from pipeline.ledger.queries.fulfilment import list_paid_not_sent
from pipeline.warehouses.spreadsheet import Spreadsheet
from pipeline.warehouses.spreadsheet.references import make_reference
from tests.pipeline.fulfilment.bridge import DAY, HOUR, Bridge

HOUSE = {"street": "1 Test Street", "city": "Testville", "state": "TX", "zip_code": "00000", "country": "US"}


@dataclass
class Seller:
    """The seller: files out, and files in."""

    bridge: Bridge

    def sell(self, **sale) -> int:
        """A box that is ready to go."""
        shipment = self.bridge.sell(**sale)
        self.bridge.search()
        return shipment

    def export(self, **how):
        made = export_boxes(self.bridge.context, self.bridge.store_id, Wanted(**how))
        return made, read(made.file.content)

    def again(self, export_id):
        return read(repeat_export(self.bridge.context, self.bridge.store_id, export_id).file.content)

    def take_in(self, *rows, headings=("Order ID", "Tracking Number")):
        """Import a file with these rows, and do what is due then."""
        made = import_file(self.bridge.context, self.bridge.store_id, file(rows, headings))
        self.bridge.settle()
        return made

    def preview(self, *rows, headings=("Order ID", "Tracking Number")):
        return preview_file(self.bridge.context, self.bridge.store_id, file(rows, headings))

    def waiting(self):
        with reading(self.bridge.engine) as conn:
            return [(one.order_number, one.reason) for one in list_quarantined(conn, self.bridge.store_id)]


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def file(rows, headings) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([headings, *rows])
    return text.getvalue().encode()


@pytest.fixture
def seller(make_bridge) -> Seller:
    bridge = make_bridge("spreadsheet")
    bridge.go_live()
    return Seller(bridge)


@pytest.fixture
def box(seller) -> int:
    return seller.sell()


@pytest.fixture
def reference(seller, box) -> str:
    """The reference of the box in the file that has just been handed out."""
    _, (row,) = seller.export()
    return row["Reference"]


def test_a_box_waits_for_the_export_and_comes_back_confirmed_with_one_e_mail(seller, box):
    assert seller.bridge.state(box) == "ready"

    made, (row,) = seller.export()
    assert (made.boxes, seller.bridge.state(box)) == (1, "at_warehouse")

    seller.take_in((row["Reference"], "9400 1000 0000 0000 0001 23"))
    seen = seller.bridge.shipment(box)
    assert seller.bridge.state(box) == "confirmed"
    assert (seen["status"], seen["emails"], seen["tracking_number"]) == ("shipped", 1, "9400100000000000000123")


def test_a_box_that_waits_for_the_export_is_late_after_a_week(seller, box):
    def list_late():
        with reading(seller.bridge.engine) as conn:
            return [one.shipment_id for one in list_paid_not_sent(conn, seller.bridge.store_id, seller.bridge.clock())]

    seller.bridge.skip(2 * HOUR)
    assert list_late() == []
    seller.bridge.skip(8 * DAY)
    assert list_late() == [box]


def test_a_box_is_in_one_export_only(seller, reference):
    with pytest.raises(Misconfigured, match="no box is ready"):
        seller.export()


def test_a_lost_file_is_written_again_from_its_boxes(seller, box, reference):
    second = seller.sell()
    _, (row,) = seller.export()
    assert [[row["Reference"] for row in seller.again(number)] for number in (1, 2)] == [
        [reference],
        [row["Reference"]],
    ]

    seller.take_in((row["Reference"], "9400100000000000000123"))
    assert seller.bridge.state(second) == "confirmed"
    with pytest.raises(Misconfigured, match="has left"):
        seller.again(2)


def test_a_file_whose_writing_was_cut_short_is_written_again(seller, box, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Spreadsheet, "write_file", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seller.export()

    assert len(seller.again(1)) == 1


def test_a_box_that_is_cancelled_before_the_export_is_in_no_file(seller, box):
    other = seller.sell()
    seller.bridge.do("shipments", box, "cancel")
    made, rows = seller.export()

    assert [row["Order number"] for row in rows] == [f"SUB-{other}"]
    assert made.left_out == {f"SUB-{box}": "cancelled_before_sending"}
    assert seller.bridge.state(box) == "cancelled(cancelled_before_sending)"


def test_a_cancel_after_the_export_is_given_to_a_person(seller, box, reference):
    seller.bridge.do("shipments", box, "cancel")
    seller.bridge.hint(("shipment", box))

    assert seller.bridge.state(box) == "cancel_refused(unsupported)"


def test_the_file_has_the_address_of_the_moment_of_the_export(seller, box):
    seller.bridge.do("shipments", box, "address", **HOUSE, unit="Flat 9")
    _, (row,) = seller.export()

    assert (row["Address 1"], row["Address 2"]) == ("1 Test Street", "Flat 9")


def test_a_layout_of_one_export_changes_no_other(seller, box):
    _, (row,) = seller.export(layout={"columns": "Ref = reference"})

    assert list(row) == ["Ref"]
    assert "Order number" in seller.again(1)[0]


def test_nothing_is_exported_in_dry_run(make_bridge):
    bridge = make_bridge("spreadsheet")
    bridge.sell()
    bridge.search()

    with pytest.raises(Misconfigured, match="dry run"):
        export_boxes(bridge.context, bridge.store_id)


def test_another_warehouse_exchanges_no_files(bridge):
    with pytest.raises(Misconfigured, match="exchanges no files"):
        export_boxes(bridge.context, bridge.store_id)


def test_a_preview_writes_nothing_and_says_what_becomes_of_each_row(seller, box, reference):
    found = seller.preview(
        (reference, "9400100000000000000123"),
        ("", "9400100000000000000456"),
        ("CW-SUB-1-XXX", "9400100000000000000789"),
    )

    assert [(row.number, row.verdict) for row in found.rows] == [(2, "match"), (3, "unknown"), (4, "unreadable")]
    assert (found.counts["match"], found.counts["ambiguous"]) == (1, 0)
    assert seller.bridge.state(box) == "at_warehouse"


# The same file again and again, with boxes of the same customer that are months away.
def test_the_same_file_five_times_marks_one_box_of_a_prepaid_plan_once(seller):
    first, *later = seller.bridge.sold(billing="adhoc", cycles=3, target=seller.bridge.iso(-HOUR))["shipment_ids"]
    seller.bridge.search()
    _, (row,) = seller.export()
    written = [seller.take_in((row["Reference"], "9400100000000000000123")).written for _ in range(5)]

    assert written == [1, 0, 0, 0, 0]
    assert [seller.bridge.shipment(one)["status"] for one in (first, *later)] == [
        "shipped",
        *["unshipped"] * len(later),
    ]
    assert seller.bridge.shipment(first)["emails"] == 1


def test_a_file_without_the_references_marks_nothing(seller, box, reference):
    row = ("buyer@example.com", "9400100000000000000123")
    for _ in range(2):
        with pytest.raises(Misconfigured, match="No row has the reference"):
            seller.take_in(row, headings=("Email", "Tracking Number"))

    assert seller.bridge.state(box) == "at_warehouse"


def test_a_reference_that_was_never_handed_out_marks_nothing(seller, reference):
    later = seller.sell()
    made = seller.take_in((make_reference(f"SUB-{later}"), "9400100000000000000123"))

    assert (made.written, seller.bridge.state(later)) == (0, "ready")


def test_one_number_for_two_boxes_waits_for_a_person(seller, box):
    other = seller.sell()
    _, rows = seller.export()
    first, second = (row["Reference"] for row in rows)
    made = seller.take_in((first, "9400100000000000000123"), (second, "9400100000000000000123"))
    seller.bridge.wait(HOUR)  # what is kept for a person is not attached by itself

    assert (made.written, made.for_people) == (0, 2)
    assert {reason for _, reason in seller.waiting()} == {"number_of_another_box"}
    assert [seller.bridge.state(one) for one in (box, other)] == ["at_warehouse"] * 2


def test_a_person_attaches_an_ambiguous_parcel(seller, box, reference):
    seller.take_in((reference, "9400100000000000000123"), (reference, "9400100000000000000456"))
    assert seller.bridge.state(box) == "at_warehouse"

    seller.bridge.requests().attach(1, f"SUB-{box}")
    seller.bridge.settle()

    assert (seller.bridge.state(box), seller.bridge.shipment(box)["emails"]) == ("confirmed", 1)
