from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Address, Created, NotFound, ShippedPage, Unsupported
from pipeline.warehouses.spreadsheet import Spreadsheet
from pipeline.warehouses.spreadsheet.columns import PRESETS, VALUES, Column, read_columns
from pipeline.warehouses.spreadsheet.references import make_reference, read_reference
from pipeline.warehouses.spreadsheet.writing import write_csv, write_xlsx
from tests.pipeline.warehouses.kit import ORDER, RecordedHTTP, make_tools, order_numbered

REFERENCE = make_reference("SUB-90000001")
NAME_ONLY = [Column("Order ID", "reference"), Column("Name", "name")]


def spreadsheet(**config: str) -> Spreadsheet:
    return Spreadsheet(config, make_tools(RecordedHTTP()))


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[tuple[object, ...]]:
    return list(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))


def named(name: str):
    return replace(ORDER, ship_to=replace(ORDER.ship_to, name=name))


def test_the_columns_of_pirate_ship():
    assert read_csv(write_csv([ORDER], PRESETS["pirate_ship"])) == [
        [
            "Name", "Company", "Address", "Address Line 2", "City", "State", "Zipcode", "Country", "Phone", "Email",
            "Order ID", "Order Items", "Rubber Stamp 1",
        ],
        [
            "Example Recipient", "", "1 Test Street", "Unit 2", "Testville", "TX", "00000", "USA", "", "",
            REFERENCE, "1 x BOX-2602", REFERENCE,
        ],
    ]  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_has_the_reference_and_the_whole_address(preset):
    values = [column.value for column in PRESETS[preset]]

    assert {"reference", "name", "company", "address1", "address2", "city", "state", "zip", "country"} <= set(values)


def test_every_value_is_a_text():
    row = {name: value(ORDER) for name, value in VALUES.items()}

    assert row | {"reference": ""} == {
        "reference": "", "order_number": "SUB-90000001", "shipment_id": "90000001", "name": "Example Recipient",
        "company": "", "address1": "1 Test Street", "address2": "Unit 2", "city": "Testville", "state": "TX",
        "zip": "00000", "country": "USA", "phone": "", "email": "", "carrier": "", "ship_code": "SUBSCRIPTION",
        "ordered_date": "2026-01-02", "ship_date": "2026-02-01", "cycle": "3", "gift": "yes",
        "gift_message": "Enjoy the tea!", "items": "1 x Tea Box (Size: Medium)", "skus": "1 x BOX-2602",
        "quantity": "1", "tracking_number": "",
    }  # fmt: skip


def test_the_buyers_address_is_in_no_column():
    text = write_csv([ORDER], [Column(name, name) for name in VALUES]).decode()

    assert "buyer@example.com" not in text
    assert "Example Buyer" not in text


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        '=HYPERLINK("http://example.com","x")',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        " =1+1",
        "\t=1+1",
        "\r=1+1",
        "＝1+1",  # noqa: RUF001 - a full-width sign
        "|calc",
        "%0A",
        "'=1+1",
    ],
)
def test_no_cell_is_a_formula(name):
    [_, [_, in_csv]] = read_csv(write_csv([named(name)], NAME_ONLY))
    book = load_workbook(io.BytesIO(write_xlsx([named(name)], NAME_ONLY)))
    cell = book.worksheets[0]["B2"]

    assert in_csv.startswith("'")
    assert cell.data_type == "s"


@pytest.mark.parametrize("phone", ["+1 555 0100", "+49 (30) 1234-567", "5550100"])
def test_a_phone_number_is_written_as_it_is(phone):
    order = replace(ORDER, ship_to=replace(ORDER.ship_to, phone=phone))

    [_, [_, in_csv]] = read_csv(write_csv([order], [NAME_ONLY[0], Column("Phone", "phone")]))

    assert in_csv == phone


@given(st.text(max_size=60))
def test_whatever_a_customer_writes_leaves_one_row_that_can_be_read(text):
    order = replace(ORDER, ship_to=Address(text, text, text, "US"), gift_message=text)
    columns = PRESETS["generic"]

    [_, in_csv], [_, in_xlsx] = read_csv(write_csv([order], columns)), read_xlsx(write_xlsx([order], columns))

    assert read_reference(in_csv[0]) == read_reference(str(in_xlsx[0])) == ORDER.order_number
    assert len(in_csv) == len(in_xlsx) == len(columns)


def test_a_heading_of_the_sellers_own_is_no_formula_either():
    content = write_csv([], read_columns("=1+1 = reference", "generic"))

    assert read_csv(content) == [["'=1+1"]]


def test_a_zip_code_keeps_its_zeros_in_a_workbook():
    order = replace(ORDER, ship_to=replace(ORDER.ship_to, zip="02134"))

    assert read_xlsx(write_xlsx([order], [Column("ZIP", "zip")]))[1] == ("02134",)


def test_each_box_has_a_reference_of_its_own():
    orders = [order_numbered(number) for number in ("1", "SUB-1", "SUB-1-R1", "SUB-11")]

    references = [row[0] for row in read_csv(write_csv(orders, NAME_ONLY))[1:]]

    assert len(set(references)) == 4


def test_columns_are_the_sellers_choice():
    assert read_columns("Order ID = reference,\nTo=Name, sku list = skus, zip", "generic") == (
        Column("Order ID", "reference"),
        Column("To", "name"),
        Column("sku list", "skus"),
        Column("zip", "zip"),
    )
    assert read_columns(" ", "pirate_ship") == PRESETS["pirate_ship"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Name = name", "one must be the reference"),
        ("A = reference, B = birthday", "'birthday' is none of"),
        ("A = reference, a = name", "each heading may be there once"),
        (", ".join(f"C{number} = reference" for number in range(61)), "at most 60"),
    ],
)
def test_faulty_columns_are_named(text, message):
    with pytest.raises(Misconfigured, match=message):
        spreadsheet(columns=text)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_file_has_a_name_a_type_and_is_not_shown(file_format):
    written = spreadsheet().write_file([ORDER], file_format, "boxes-2026-02")

    assert written.name == f"boxes-2026-02.{file_format}"
    assert "Recipient" not in repr(written)


def test_creating_means_in_the_next_export():
    warehouse = spreadsheet()

    assert warehouse.create(ORDER) == Created(REFERENCE)
    assert warehouse.capabilities.exchanges_files
    assert warehouse.check()["columns"][0] == "Name"


def test_it_is_asked_for_nothing():
    warehouse = spreadsheet()

    assert warehouse.find("SUB-1") == NotFound()
    assert warehouse.list_shipped([("SUB-1", "")]) == ShippedPage(())
    assert warehouse.cancel("SUB-1", "", "no more") == Unsupported()
    assert warehouse.acknowledge("SUB-1", ["T1"]) is None
    assert warehouse.read_push({}, b"") == Unsupported()
