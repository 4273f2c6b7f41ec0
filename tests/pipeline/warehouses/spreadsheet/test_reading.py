from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from pipeline.core.fulfilment import Package
from pipeline.core.fulfilment_files import FileRefused, ReturnedFile, ReturnedRow
from pipeline.warehouses.spreadsheet import Spreadsheet
from pipeline.warehouses.spreadsheet.references import make_reference
from tests.pipeline.warehouses.kit import ORDER, RecordedHTTP, make_tools, order_numbered

NUMBER = ORDER.order_number
REFERENCE = make_reference(NUMBER)
OTHER = make_reference("SUB-2")
LONG = "9400111899223344556677"
DAY_US = round(datetime(2026, 2, 3, tzinfo=UTC).timestamp()) * 1_000_000


def read(content: bytes, **config: str) -> ReturnedFile | FileRefused:
    return Spreadsheet(config, make_tools(RecordedHTTP())).read_file(content)


def read_one(*lines: str, **config: str) -> ReturnedRow:
    """The last row of a CSV."""
    return read("\r\n".join(lines).encode(), **config).rows[-1]


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


HEADINGS = "Order ID,Tracking Number,Carrier,Service,Ship Date"
TEXT = f"{HEADINGS}\r\n{REFERENCE},{LONG},USPS,Ground,2026-02-03\r\n"
EXPECTED = ReturnedRow(2, (NUMBER,), (Package(LONG, "USPS", "Ground", shipped_at=DAY_US),))


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        ("\ufeff" + TEXT).encode("utf-16-be"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace(",", "|").encode(),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace("\r\n", "\r").encode(),
        TEXT.replace(LONG, f'"=""{LONG}"""').encode(),
        TEXT.replace(LONG, f"'{LONG}").encode(),
        TEXT.replace(LONG, f" {LONG[:4]} {LONG[4:]} ").encode(),
        TEXT.replace(REFERENCE, REFERENCE.lower()).encode(),
        TEXT.replace("Tracking Number", "TRACKING #").encode(),
        workbook(HEADINGS.split(","), [REFERENCE, LONG, "USPS", "Ground", "2026-02-03"]),
        workbook(HEADINGS.split(","), [REFERENCE, LONG, "USPS", "Ground", datetime(2026, 2, 3)]),  # noqa: DTZ001 - as Excel has it
        workbook(HEADINGS.split(","), [REFERENCE, LONG, "USPS", "Ground", date(2026, 2, 3)]),
        workbook(HEADINGS.split(","), [REFERENCE, LONG, "USPS", "Ground", 46056]),
    ],
)
def test_a_file_is_read_however_it_was_written(content):
    assert read(content) == ReturnedFile((EXPECTED,), read(content).tracking_heading)


def test_excels_own_first_line_names_the_delimiter():
    text = "sep=;\r\n" + TEXT.replace(",", ";")

    assert read(text.encode()).rows == (EXPECTED,)


def test_old_windows_letters_do_no_harm():
    row = read_one("Name;Order ID;Tracking", f"Zoë;{REFERENCE};{LONG}")

    assert read("Name;Order ID;Tracking\nZoë;x;y\n".encode("cp1252")).fault == "no_reference"
    assert row.packages[0].tracking_number == LONG


def test_titles_may_stand_above_the_headings():
    row = read_one("Labels of February", "", "Order ID,Tracking Number", f"{REFERENCE},{LONG}")

    assert (row.number, row.order_numbers) == (4, (NUMBER,))


@pytest.mark.parametrize("column", ["Rubber Stamp 1", "Notes", "Anything"])
def test_a_reference_is_found_in_whichever_column_it_returns(column):
    row = read_one(f"Email,{column},Tracking Number", f"someone@example.com,{REFERENCE},{LONG}")

    assert row.order_numbers == (NUMBER,)


def test_several_references_in_a_row_are_all_named():
    row = read_one("Order ID,Stamp,Tracking Number", f"{REFERENCE},{OTHER},{LONG}")

    assert row.order_numbers == (NUMBER, "SUB-2")


def test_a_row_is_matched_by_nothing_but_its_reference():
    others = f"{NUMBER},90000001,70000001,buyer@example.com,Example Recipient,{LONG}"
    text = f"Order ID,Shipment,Subscription,Email,Name,Tracking\n{others}\n{REFERENCE},,,,,{LONG}9\n"

    rows = read(text.encode()).rows

    assert rows == (ReturnedRow(2, (), (Package(LONG),)), ReturnedRow(3, (NUMBER,), (Package(f"{LONG}9"),)))


def test_a_mistyped_reference_is_a_fault_of_its_row():
    text = f"Order ID,Tracking Number\n{REFERENCE[:-1]}X,{LONG}\n{REFERENCE},{LONG}\n"

    assert read(text.encode()).rows[0] == ReturnedRow(2, fault="the reference is mistyped")


def test_several_numbers_in_a_cell_are_several_packages():
    row = read_one("Order ID,Tracking", f'{REFERENCE},"{LONG}, 1Z999AA10123456784, {LONG}"')

    assert [package.tracking_number for package in row.packages] == [LONG, "1Z999AA10123456784"]


def test_a_row_without_a_number_has_no_package():
    assert read_one("Order ID,Tracking", f"{REFERENCE},") == ReturnedRow(2, (NUMBER,))
    assert read_one("Tracking,Order ID,Carrier", f",{REFERENCE}") == ReturnedRow(2, (NUMBER,))


ROUNDED = "the tracking number was rounded by the spreadsheet"
A_DATE = "the tracking number has become a date"


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("9.4E+21", ROUNDED),
        ('"9,40011E+21"', ROUNDED),
        ("1E+21", ROUNDED),
        ("1.2e21", ROUNDED),
        ("9400111899223340000000", ROUNDED),
        ("2026-02-03", A_DATE),
        ("2/3/2026", A_DATE),
        ("03.02.2026", A_DATE),
        ("#N/A", "the cell has an error of the spreadsheet"),
        ("#REF!", "the cell has an error of the spreadsheet"),
        ("pending", "no tracking number"),
        ("n/a", "no tracking number"),
        ("123", "no tracking number"),
        ("=A1+B1", "no tracking number"),
        ("<script>1234567</script>", "no tracking number"),
        ("1" * 60, "no tracking number"),
    ],
)
def test_a_spoilt_tracking_number_is_a_fault_of_its_row(cell, fault):
    assert read_one("Order ID,Tracking", f"{REFERENCE},{cell}") == ReturnedRow(2, (NUMBER,), fault=fault)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (9400111899223344556677, ROUNDED),
        (9.4001118992233e21, ROUNDED),
        (1234567.5, ROUNDED),
        (datetime(2026, 2, 3), A_DATE),  # noqa: DTZ001 - as Excel has it
        (True, "no tracking number"),
    ],
)
def test_a_spoilt_cell_of_a_workbook_is_a_fault_of_its_row(value, fault):
    [row] = read(workbook(["Order ID", "Tracking"], [REFERENCE, value])).rows

    assert row == ReturnedRow(2, (NUMBER,), fault=fault)


@pytest.mark.parametrize("value", [123456789012, 123456789012.0, "1234 5678 9012"])
def test_a_number_that_a_workbook_holds_exactly_is_taken(value):
    [row] = read(workbook(["Order ID", "Tracking"], [REFERENCE, value])).rows

    assert row.packages == (Package("123456789012"),)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("2026-02-03", "month_first"),
        ("2026-02-03T00:00:00Z", "month_first"),
        ("2026-02-03 00:00:00", "month_first"),
        ("2026-02-03T01:00:00+01:00", "month_first"),
        ("2/3/2026", "month_first"),
        ("02/03/26", "month_first"),
        ("2/3/2026 3:30 PM", "month_first"),
        ("3/2/2026", "day_first"),
        ("03.02.2026", "day_first"),
        ("46056", "month_first"),
        ('"Feb 3, 2026"', "month_first"),
        ('"Tuesday, February 3, 2026 3:30 PM"', "month_first"),
        ("3-Feb-2026", "month_first"),
    ],
)
def test_a_date_is_read_in_many_forms(text, order):
    row = read_one("Order ID,Tracking,Ship Date", f"{REFERENCE},{LONG},{text}", date_order=order)

    assert row.packages[0].shipped_at == DAY_US


@pytest.mark.parametrize("text", ["soon", "13/13/2026", "2/30/2026", "99999999", "nan", "1e400", "12"])
def test_a_date_that_cannot_be_read_is_a_fault_of_its_row(text):
    row = read_one("Order ID,Tracking,Ship Date", f"{REFERENCE},{LONG},{text}")

    assert row == ReturnedRow(2, (NUMBER,), fault="the date cannot be read")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://track.example.com/1", "https://track.example.com/1"),
        ("javascript:alert(1)", ""),
        ("=HYPERLINK(1)", ""),
    ],
)
def test_only_a_link_is_kept_as_one(url, kept):
    assert read_one("Order ID,Tracking,Tracking URL", f"{REFERENCE},{LONG},{url}").packages[0].url == kept


def test_a_heading_of_the_sellers_own_is_looked_for_alone():
    text = f"Order ID,Tracking Number,Paket\n{REFERENCE},{LONG},123456789012\n"

    assert read(text.encode(), tracking_heading="paket").rows[0].packages == (Package("123456789012"),)
    assert read(text.encode(), tracking_heading="Sendung").fault == "no_tracking"


def test_a_row_whose_quotes_do_not_close_is_the_only_one_lost():
    text = f'Order ID,Tracking\n{REFERENCE},"{LONG}\n{OTHER},{LONG}\n'

    rows = read(text.encode()).rows

    assert rows[0] == ReturnedRow(2, fault="the quotes of the row do not close")
    assert rows[1].order_numbers == ("SUB-2",)


def test_an_export_that_returns_as_it_went_out_says_nothing_was_shipped():
    warehouse = Spreadsheet({"preset": "generic"}, make_tools(RecordedHTTP()))
    for file_format in ("csv", "xlsx"):
        written = warehouse.write_file([ORDER, order_numbered("77")], file_format, "boxes")

        rows = warehouse.read_file(written.content).rows

        assert [(row.order_numbers, row.packages, row.fault) for row in rows] == [
            ((NUMBER,), (), ""),
            (("77",), (), ""),
        ]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    assert isinstance(read(content), ReturnedFile | FileRefused)


@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=8), st.sampled_from(",;\t|"))
def test_any_table_is_read_or_refused(rows, delimiter):
    text = "\n".join([f"Order ID{delimiter}Tracking", *(delimiter.join(row) for row in rows)])

    assert isinstance(read(text.encode("utf-8", "replace")), ReturnedFile | FileRefused)
