"""Files of a spreadsheet as the warehouse: an export is asked for and fetched, a returned file is shown and written."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import update

from pipeline.core.fulfilment import Address, Line, Order, State
from pipeline.fulfilment.sealed_order import seal_order
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.exports import add_exported, insert_export
from pipeline.ledger.fulfilment.orders import find_order
from pipeline.ledger.fulfilment.warehouses import update_warehouse
from pipeline.ledger.fulfilment.work import NewWork, end_work, insert_work, list_work
from pipeline.ledger.schema.fulfilment import FulfilmentOrder
from pipeline.warehouses.spreadsheet.references import make_reference
from receiver.pages.warehouse import imports
from tests.builders import NOW
from tests.receiver.pages.warehouse.conftest import OPERATORS, READERS, WAREHOUSE, add_box

FILES, IMPORTS = f"{WAREHOUSE}/files", f"{WAREHOUSE}/imports"
REFERENCE = make_reference("SUB-1")
NUMBER = "9400100000000000000123"


@pytest.fixture
def seller(pages, store_id, visitor):
    """The owner of a live shop whose warehouse is a spreadsheet."""
    visitor.go(f"{WAREHOUSE}/connect/spreadsheet")
    visitor.send(preset="generic", date_order="month_first", earliest_order_at="2026-01-01")
    with writing(pages.site.engine) as conn:
        update_warehouse(conn, store_id, mode="live")
    return visitor


@pytest.fixture
def exported(pages, store_id, seller):
    """The same, whose box SUB-1 was handed out in a file."""
    with writing(pages.site.engine) as conn:
        export_id = insert_export(conn, store_id, None, NOW)
        add_exported(conn, export_id, 1)
        row = add_box(conn, store_id, 1, State.AT_WAREHOUSE, export_id=export_id, sent_at=NOW)
        to = Address("Mila Example", "1 Elm Street", "Austin", "US", zip="78701")
        line = Line(1, "BOX", "BOX", "Box", 1, (11,))
        built = Order("SUB-1", 1, "subscription", "adhoc", NOW, NOW, "SUBSCRIPTION", to, (line,), "f")
        sealed = seal_order(pages.site.settings.secret_keys, row.identity, built)
        conn.execute(update(FulfilmentOrder).values(payload=sealed))
    return seller


def table(*rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("Order ID", "Tracking Number"), *rows])
    return io.BytesIO(text.getvalue().encode()), "labels.csv"


def upload(visitor, *rows):
    visitor.go(FILES)
    visitor.send(IMPORTS, file=table(*rows))
    return visitor


def test_another_warehouse_takes_its_boxes_without_files(connected):
    connected.go(FILES)

    assert "takes its boxes without files" in connected.text
    assert FILES not in connected.go(WAREHOUSE)


def test_nothing_ready_is_said_and_the_pages_lead_to_the_files(seller):
    seller.go(FILES)

    assert "No box is ready." in seller.text
    assert f'href="{FILES}"' in seller.go(WAREHOUSE)
    assert f'href="{FILES}"' in seller.go("/orders")


def test_an_export_is_asked_for_once_and_its_progress_is_shown(pages, store_id, seller):
    with writing(pages.site.engine) as conn:
        add_box(conn, store_id, 1, State.READY)
    seller.go(FILES)
    seller.send(FILES, batch="", format="xlsx", preset="pirate_ship", columns="")
    with reading(pages.site.engine) as conn:
        (row,) = list_work(conn, store_id)

    assert row.wanted["layout"] == {"preset": "pirate_ship", "columns": ""}
    assert (row.wanted["file_format"], row.state) == ("xlsx", "waiting")
    assert "waits for a worker" in seller.text
    assert f'hx-get="{FILES}"' in seller.page


def test_what_cannot_be_exported_is_said_on_the_form(pages, store_id, seller):
    with writing(pages.site.engine) as conn:
        add_box(conn, store_id, 1, State.READY)
    seller.go(FILES)
    for typed, says in (
        ({"columns": "Name = name"}, "one must be the reference"),
        ({"batch": "22"}, "is not frozen"),
        ({"batch": "no number"}, "no such batch"),
        ({"columns": "x" * 2_001}, "longer than"),
    ):
        seller.send(FILES, **({"batch": "", "format": "csv", "preset": "", "columns": ""} | typed))
        assert (seller.status, says in seller.text) == (422, True), typed


def test_a_file_is_written_when_it_is_fetched_and_only_operators_and_owners_fetch_it(pages, exported):
    exported.go(f"{WAREHOUSE}/exports/1/csv")
    rows = list(csv.DictReader(io.StringIO(exported.page.removeprefix("\ufeff"), newline="")))
    reader = pages.logged_in(READERS)
    reader.go(f"{WAREHOUSE}/exports/1/csv")

    assert [(row["Reference"], row["Name"]) for row in rows] == [(REFERENCE, "Mila Example")]
    assert 'filename="acme-boxes-1.csv"' in exported.headers["Content-Disposition"]
    assert reader.status == 403
    assert exported.ask(f"{WAREHOUSE}/exports/1/pdf").status_code == 404


def test_what_an_export_left_out_is_named_with_its_reason(pages, store_id, exported):
    wanted = {"file_format": "csv", "layout": {}, "batch_id": None, "wave": None}
    with writing(pages.site.engine) as conn:
        work = insert_work(conn, NewWork(store_id, "export", "export", wanted), COMMAND_LINE_ACTOR, NOW)
        left_out = {"SUB-8": "cancelled", "SUB-9": "unpaid"}
        end_work(conn, work.id, NOW, result={"export": 1, "boxes": 1, "left_out": left_out})
    exported.go(FILES)

    assert "SUB-8 . It is cancelled by now. SUB-9 . " in exported.text


def test_an_export_whose_boxes_have_all_left_has_no_file_any_more(pages, exported):
    with writing(pages.site.engine) as conn:
        conn.execute(update(FulfilmentOrder).values(state=State.CONFIRMED))
    exported.go(f"{WAREHOUSE}/exports/1/xlsx")

    assert (exported.where, "There is no file." in exported.text) == (FILES, True)


def test_a_returned_file_is_shown_row_by_row_before_its_matches_are_written(pages, store_id, exported, work):
    upload(exported, (REFERENCE, NUMBER), ("", "9400100000000000000124"))
    before = exported.text
    exported.send()
    waiting = exported.text
    work()
    exported.go(exported.where)
    with reading(pages.site.engine) as conn:
        state = find_order(conn, store_id, "SUB-1").state

    assert "Match 1 are written" in before
    assert "There is no reference in this row." in before
    assert "waits for a worker" in waiting
    assert "1 written: they are confirmed at Cratejoy" in exported.text
    assert state is State.SHIPPED


def test_the_same_file_again_says_so_and_writes_nothing(exported, work):
    upload(exported, (REFERENCE, NUMBER)).send()
    work()
    upload(exported, (REFERENCE, NUMBER))

    assert "This very file was imported" in exported.text
    assert "Nothing of it is new." in exported.text
    assert "Nothing to write" in exported.text


def test_ambiguous_rows_are_kept_for_a_person(exported, work):
    upload(exported, (REFERENCE, NUMBER), (REFERENCE, "9400100000000000000125"))
    assert "Keep them for a person" in exported.text
    exported.send()
    work()
    exported.go(exported.where)

    assert "2 parcels wait for a person" in exported.text
    upload(exported, (REFERENCE, NUMBER), (REFERENCE, "9400100000000000000125"))
    assert "Keep them" not in exported.text


def test_rows_can_be_narrowed_to_a_verdict_and_are_shown_in_pages(exported, monkeypatch):
    monkeypatch.setattr(imports, "PAGE_SIZE", 1)
    upload(exported, (REFERENCE, NUMBER), ("CW-1", NUMBER), ("CW-2", NUMBER))
    here = exported.where
    exported.go(f"{here}?show=match")
    matches = exported.text
    exported.go(f"{here}?show=match&after=2")

    assert REFERENCE not in matches
    assert "SUB-1" in matches
    assert "No row like this." in exported.text
    assert exported.ask(here, show="nonsense").status_code == 404


def test_a_file_that_cannot_be_read_says_why(exported):
    exported.go(FILES)
    for sent, says in (
        (b"", "Choose a file first"),
        (b"Name,City\r\nMila,Austin\r\n", "reference"),
        (b"x" * imports.MAX_FILE_BYTES, "At most 10 MB"),
    ):
        exported.send(IMPORTS, file=(io.BytesIO(sent), "labels.csv"))
        assert (exported.status, says in exported.text) == (422, True), sent[:20]


def test_a_file_beyond_every_limit_and_one_of_a_visitor_are_refused(pages, exported):
    exported.go(FILES)
    exported.send(IMPORTS, file=(io.BytesIO(b"x" * imports.MAX_UPLOAD_BYTES), "labels.csv"))
    visitor = pages.visitor()
    visitor.go("/login")
    visitor.send(IMPORTS, file=(io.BytesIO(b"x" * 100_000), "labels.csv"))

    assert (exported.status, "a file of a warehouse 10 MB" in exported.text, visitor.status) == (413, True, 413)


def test_operators_import_and_readers_look(pages, exported):
    found = []
    for who in (OPERATORS, READERS):
        page = pages.logged_in(who).go(FILES)
        found.append(("Import a returned file" in page, 'type="file"' in page))

    assert found == [(True, True), (True, False)]
