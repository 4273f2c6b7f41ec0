"""Reads CSV as Excel and others write it: any of four delimiters, with or without a byte order mark, UTF-16 too."""

from __future__ import annotations

import codecs
import csv
import io

from pipeline.core.fulfilment_files import FileRefused
from pipeline.warehouses.spreadsheet.table import MAX_CELLS_PER_ROW, MAX_ROWS, Row, Table, refuse_size

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = (",", ";", "\t", "|")
_MIN_NULS_OF_UTF_16 = 0.2  # of the bytes; text without a mark
_SAMPLE_BYTES = 4_096
_MAX_BROKEN_ROWS = 100  # each costs a look at the rest of the file
_NOT_A_TABLE = FileRefused(
    "not_a_table", "This is no table that can be read. Save it as CSV (UTF-8) or as an Excel workbook (.xlsx)."
)


def read_csv(content: bytes) -> Table | FileRefused:
    """Return the rows, or why there are none."""
    text = _decode(content)
    if text is None or "\0" in text:
        return _NOT_A_TABLE
    delimiter, text = _find_delimiter(text)
    lines = io.StringIO(text, newline="").readlines()
    rows: list[Row] = []
    begins, broken = 0, 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number, read_before = len(rows) + 1, reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error:  # its quotes do not close: only this line is given up
            rows.append(Row(number, (), is_readable=False))
            begins, broken = begins + read_before + 1, broken + 1
            if broken > _MAX_BROKEN_ROWS:
                return _NOT_A_TABLE
            reader = csv.reader(lines[begins:], delimiter=delimiter, strict=True)
            continue
        if cells is None:
            return Table(tuple(rows))
        if len(rows) >= MAX_ROWS or len(cells) > MAX_CELLS_PER_ROW:
            return refuse_size()
        rows.append(Row(number, tuple(cells)))


def _decode(content: bytes) -> str | None:
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), None)
    for name in (encoding,) if encoding else (_guess_utf_16(content), "utf-8", "cp1252"):
        try:
            return content.decode(name) if name else None
        except UnicodeDecodeError:
            continue
    return None


def _guess_utf_16(content: bytes) -> str:
    """Return the encoding of UTF-16 without a mark, else UTF-8: in UTF-16 every other byte of English text is 0."""
    sample = content[:_SAMPLE_BYTES]
    if sample.count(0) < _MIN_NULS_OF_UTF_16 * len(sample):
        return "utf-8"
    return "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"


def _find_delimiter(text: str) -> tuple[str, str]:
    """Return the delimiter and the text. Excel may say it in a first line, "sep=;"; else the headings show it."""
    line, _, rest = text.partition("\n")
    named = line.strip().strip('"')
    if named.lower().startswith("sep=") and named[4:] in _DELIMITERS:
        return named[4:], rest
    outside_quotes = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside_quotes.count), text
