"""Reads the first sheet of an Excel workbook; refuses what a stranger's workbook may hide.

A workbook is a ZIP archive of XML. What it would unpack to is counted before anything is unpacked; an archive that
states less than it holds breaks off at what it states.
"""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from pipeline.core.fulfilment_files import FileRefused
from pipeline.warehouses.spreadsheet.table import MAX_CELLS_PER_ROW, MAX_ROWS, Cell, Row, Table, refuse_size

OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # of .xls, and of workbooks with a password
_MAX_UNPACKED_BYTES = 50 * 1024 * 1024
_MAX_ENTRIES = 1_000
_CHUNK_BYTES = 1024 * 1024
_DECLARATIONS = (b"<!doctype", b"<!entity")  # entities multiply when they are read; text has none of these, escaped
_MACROS = FileRefused("macros", "The workbook has macros, and is not opened. Save it as .xlsx without them, or as CSV.")
_BROKEN = FileRefused("not_a_table", "The workbook is damaged. Save it again as .xlsx, or as CSV.")
_ENCRYPTED = FileRefused("encrypted", "The workbook has a password. Save it without one, or as CSV.")
_BROKEN_ERRORS = (
    ParseError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, IndexError,
    AttributeError, EOFError, OSError, NotImplementedError, RuntimeError, OverflowError, AssertionError,
)  # fmt: skip


def read_xlsx(content: bytes) -> Table | FileRefused:
    """Return the rows of the first sheet, with the values that formulas had when the workbook was saved."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            refused = _find_danger(archive)
        return refused or _read_rows(content)
    except _BROKEN_ERRORS:  # openpyxl lets whatever goes wrong inside it come out
        return _BROKEN


def _find_danger(archive: zipfile.ZipFile) -> FileRefused | None:
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > _MAX_UNPACKED_BYTES:
        return refuse_size()
    if any(entry.flag_bits & 1 for entry in entries):
        return _ENCRYPTED
    if any(entry.filename.lower().rpartition("/")[2].startswith("vbaproject") for entry in entries):
        return _MACROS
    for entry in entries:
        if not entry.filename.lower().endswith((".xml", ".rels")):
            continue
        is_macros = entry.filename.lower() == "[content_types].xml"
        with archive.open(entry) as part:
            found = _find_words(part, (*_DECLARATIONS, b"macroenabled") if is_macros else _DECLARATIONS)
        if found is not None:
            return _BROKEN if found in _DECLARATIONS else _MACROS
    return None


def _find_words(part: IO[bytes], words: Sequence[bytes]) -> bytes | None:
    """Return the first of the words that is in the file, in any case; UTF-16 has zeros between the letters."""
    overlap = b""
    while chunk := part.read(_CHUNK_BYTES):
        text = overlap + chunk.replace(b"\0", b"").lower()
        found = next((word for word in words if word in text), None)
        if found is not None:
            return found
        overlap = text[-max(map(len, words)) :]
    return None


def _read_rows(content: bytes) -> Table | FileRefused:
    from openpyxl import load_workbook  # noqa: PLC0415  10 MB in every process otherwise
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what other programs leave out of a workbook
        try:
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        except InvalidFileException:
            return _BROKEN
        try:
            return _collect(book.worksheets[0].iter_rows(values_only=True)) if book.worksheets else _BROKEN
        finally:
            book.close()


def _collect(found: Iterable[tuple[Any, ...]]) -> Table | FileRefused:
    rows: list[Row] = []
    for number, values in enumerate(found, 1):
        while values and values[-1] is None:
            values = values[:-1]  # noqa: PLW2901 - a sheet may say that it is wider than it is
        if number > MAX_ROWS or len(values) > MAX_CELLS_PER_ROW:
            return refuse_size()
        rows.append(Row(number, tuple(map(_as_cell, values))))
    return Table(tuple(rows))


def _as_cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float | datetime | date) else str(value)
