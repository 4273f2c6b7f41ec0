"""Reads a returned file: which boxes its rows name, by their references alone, and with which tracking numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.fulfilment import Package
from pipeline.core.fulfilment_files import FileRefused, ReturnedFile, ReturnedRow
from pipeline.warehouses.spreadsheet.cells import DateOrder, Spoilt, read_date, read_text, read_tracking_numbers
from pipeline.warehouses.spreadsheet.csv_table import read_csv
from pipeline.warehouses.spreadsheet.references import looks_like_reference, read_reference
from pipeline.warehouses.spreadsheet.table import MAX_FILE_BYTES, Cell, Row, Table, refuse_size
from pipeline.warehouses.spreadsheet.xlsx_table import OLD_EXCEL, read_xlsx

_ZIP = b"PK"
_MAX_CHARACTERS = 100  # of the name of a carrier
_HEADING_ROWS = 20  # titles and notes may stand above the headings
_TRACKING = (
    "trackingnumber",
    "tracking",
    "trackingno",
    "trackingnumbers",
    "trackingid",
    "trackingcode",
    "shipmenttracking",
)
_CARRIER = ("carrier", "carriername", "shippingcarrier")
_METHOD = ("service", "shippingservice", "mailclass", "method", "shippingmethod", "servicelevel")
_DATE = ("shipdate", "shippeddate", "dateshipped", "shippedat", "shippingdate")
_URL = ("trackingurl", "trackinglink")
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class Headings:
    """The positions of the columns that are read, and the row that names them."""

    row: int
    tracking: int
    tracking_heading: str
    carrier: int | None
    method: int | None
    date: int | None
    url: int | None


def read_returned(content: bytes, *, tracking_heading: str = "", date_order: DateOrder) -> ReturnedFile | FileRefused:
    """Return what each row says, or why the file is not read. `tracking_heading`: the seller's own, if any."""
    table = _read_table(content)
    if isinstance(table, FileRefused):
        return table
    headings = _find_headings(table, _normalize(tracking_heading))
    if headings is None:
        wanted = tracking_heading or "Tracking Number"
        return FileRefused("no_tracking", f"There is no column “{wanted}”. Name the column of the tracking numbers so.")
    rows = tuple(
        _read_row(row, headings, date_order) for row in table.rows if row.number > headings.row and not row.is_empty
    )
    if not any(row.order_numbers for row in rows):
        return FileRefused(
            "no_reference",
            "No row has the reference of a box, such as CW-SUB-90000001-RXQ. Keep the column with the references "
            "when you upload the export, and when you download the labels.",
        )
    return ReturnedFile(rows, headings.tracking_heading)


def _read_table(content: bytes) -> Table | FileRefused:
    if not content.strip():
        return FileRefused("empty", "The file is empty.")
    if len(content) > MAX_FILE_BYTES:
        return refuse_size()
    if content.startswith(OLD_EXCEL):
        return FileRefused(
            "old_excel", "This is an Excel file of before 2007, or one with a password. Save it as .xlsx without one."
        )
    return read_xlsx(content) if content.startswith(_ZIP) else read_csv(content)


def _find_headings(table: Table, own_heading: str) -> Headings | None:
    """Return the headings: the first row that names the column of the tracking numbers."""
    for row in table.rows[:_HEADING_ROWS]:
        names = [_normalize(read_text(cell)) for cell in row.cells]
        tracking = _find(names, (own_heading,) if own_heading else _TRACKING)
        if tracking is not None:
            return Headings(
                row.number,
                tracking,
                read_text(row.cells[tracking]),
                *(_find(names, wanted) for wanted in (_CARRIER, _METHOD, _DATE, _URL)),
            )
    return None


def _find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Return the position of the first wanted name that is there."""
    return next((names.index(name) for name in wanted if name in names), None)


def _read_row(row: Row, headings: Headings, date_order: DateOrder) -> ReturnedRow:
    if not row.is_readable:
        return ReturnedRow(row.number, fault="the quotes of the row do not close")
    texts = [read_text(cell) for cell in row.cells]
    if any(looks_like_reference(text) and read_reference(text) is None for text in texts):
        return ReturnedRow(row.number, fault="the reference is mistyped")
    order_numbers = tuple(dict.fromkeys(number for text in texts if (number := read_reference(text))))
    tracking = read_tracking_numbers(_get(row.cells, headings.tracking))
    if isinstance(tracking, Spoilt):
        return ReturnedRow(row.number, order_numbers, fault=tracking.fault)
    shipped_at = read_date(_get(row.cells, headings.date), date_order)
    if isinstance(shipped_at, Spoilt):
        return ReturnedRow(row.number, order_numbers, fault=shipped_at.fault)
    carrier, method, url = (
        read_text(_get(row.cells, position)) for position in (headings.carrier, headings.method, headings.url)
    )
    link = url if url.startswith(("https://", "http://")) else ""  # it is shown, and written to the shop
    packages = tuple(
        Package(number, carrier[:_MAX_CHARACTERS], method[:_MAX_CHARACTERS], link, shipped_at) for number in tracking
    )
    return ReturnedRow(row.number, order_numbers, packages)


def _get(cells: Sequence[Cell], position: int | None) -> Cell:
    return cells[position] if position is not None and position < len(cells) else None


def _normalize(text: str) -> str:
    """Return a heading in small letters, without signs: "Tracking #" is "tracking"."""
    return _NOT_A_LETTER.sub("", text.casefold())
