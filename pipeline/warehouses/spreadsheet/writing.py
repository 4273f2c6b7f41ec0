"""Writes a batch as CSV or XLSX, one row for each box, so that no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from pipeline.core.fulfilment import Order
from pipeline.warehouses.spreadsheet.columns import VALUES, Column

MAX_CELL_CHARACTERS = 32_767  # of a cell in Excel
_BOM = "\ufeff"  # without it Excel reads a CSV in the machine's old encoding
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile(r"[\r\n\t\u2028\u2029]+")
# What Excel, LibreOffice or Google Sheets may take for the beginning of a formula; full-width forms in some languages.
_FORMULA = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20|%]")
_PHONE_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]*")


def write_csv(orders: Iterable[Order], columns: Sequence[Column]) -> bytes:
    """Return UTF-8 with a byte order mark, commas and CRLF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_disarm(column.heading) for column in columns)
    for order in orders:
        writer.writerow(_disarm(value) for value in _list_values(order, columns))
    return (_BOM + text.getvalue()).encode()


def write_xlsx(orders: Iterable[Order], columns: Sequence[Column]) -> bytes:
    """Return a workbook with one sheet, in which every cell is text: ZIP codes keep their zeros."""
    from openpyxl import Workbook  # noqa: PLC0415  10 MB in every process otherwise
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Boxes")
    rows = [[column.heading for column in columns], *(_list_values(order, columns) for order in orders)]
    for row in rows:
        cells = [WriteOnlyCell(sheet, value) for value in row]
        for cell in cells:
            cell.data_type, cell.number_format = "s", "@"
        sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _list_values(order: Order, columns: Sequence[Column]) -> list[str]:
    return [_clean(VALUES[column.value](order)) for column in columns]


def _clean(text: str) -> str:
    """Return the text on one line, without what no spreadsheet can hold."""
    return _CONTROL.sub("", _LINE_BREAK.sub(" ", text)).strip()[:MAX_CELL_CHARACTERS]


def _disarm(text: str) -> str:
    """Return a text that is no formula in any spreadsheet: an apostrophe before it says that it is text."""
    return f"'{text}" if _FORMULA.match(text.lstrip()) and not _PHONE_NUMBER.fullmatch(text) else text
