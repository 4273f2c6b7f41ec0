"""Reads the cells of a returned row, and says which of them a spreadsheet has spoilt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pipeline.warehouses.dates import parse_time, to_us
from pipeline.warehouses.spreadsheet.table import Cell

DateOrder = Literal["month_first", "day_first"]

# Excel keeps 15 digits of a number; the others become zeros.
_EXACT_DIGITS = 15
_MAX_EXACT = 10**_EXACT_DIGITS
_MIN_SPOILT_DIGITS = 18
_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9-]{4,48}[A-Z0-9]")
_ROUNDED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(r"[,;|\r\n]+")
_TEXT_FORMULA = re.compile(r'="(.*)"')
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[ T].*)?")
_SLASH_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:[ ,T].*)?")
# English months, as American tools write them; a weekday or a time may stand around.
_MONTH_DATES = ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y")
_AROUND_DATE = re.compile(
    r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+|(?<![ ,T])[ ,T]+(?:at )?\d{1,2}:\d{2}.*$", re.IGNORECASE
)
_MAX_DATE_CHARACTERS = 60
_EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_FIRST_DAY, _LAST_DAY = 36_526, 73_050  # of Excel's counting: 2000 to 2099


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A cell that does not hold what it should. `fault`: why, without its content."""

    fault: str


def read_text(cell: Cell) -> str:
    """Return the cell as a text, without what only says that it is one: an apostrophe, or ="…"."""
    if cell is None or isinstance(cell, bool | datetime | date):
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _MAX_EXACT:
        cell = int(cell)
    text = str(cell).strip().strip("\u200b\ufeff").strip()
    formula = _TEXT_FORMULA.fullmatch(text)
    return formula[1].strip() if formula else text.removeprefix("'").strip()


def read_tracking_numbers(cell: Cell) -> tuple[str, ...] | Spoilt:
    """Return the numbers in a cell, upper case and without spaces; none if it is empty."""
    if isinstance(cell, bool | datetime | date):
        return Spoilt("the tracking number has become a date" if not isinstance(cell, bool) else "no tracking number")
    if isinstance(cell, int | float) and (not float(cell).is_integer() or abs(cell) >= _MAX_EXACT):
        return Spoilt("the tracking number was rounded by the spreadsheet")
    text = read_text(cell)
    if _ROUNDED.fullmatch(text):  # before it is split: some write 9,4E+21
        return Spoilt("the tracking number was rounded by the spreadsheet")
    numbers = [number for part in _BETWEEN_NUMBERS.split(text) if (number := "".join(part.split()).upper())]
    for number in numbers:
        fault = _find_fault(number)
        if fault:
            return Spoilt(fault)
    return tuple(dict.fromkeys(numbers))


def read_date(cell: Cell, order: DateOrder) -> int | Spoilt | None:
    """Return a day or time in µs, None for an empty cell. Without a zone it is taken for UTC."""
    if isinstance(cell, datetime):
        return to_us(cell)
    if isinstance(cell, date):
        return to_us(datetime(cell.year, cell.month, cell.day, tzinfo=UTC))
    text = read_text(cell)
    if not text:
        return None
    if len(text) > _MAX_DATE_CHARACTERS:
        return Spoilt("the date cannot be read")
    try:
        found = _read_written(text, order) or _read_counted(text)
    except (ValueError, OverflowError):
        found = None
    return Spoilt("the date cannot be read") if found is None else found


def _find_fault(number: str) -> str:
    """Return why a text is no tracking number, or ""."""
    if number.startswith("#"):
        return "the cell has an error of the spreadsheet"
    if _ROUNDED.fullmatch(number):
        return "the tracking number was rounded by the spreadsheet"
    if _DATE.fullmatch(number):
        return "the tracking number has become a date"
    if len(number) >= _MIN_SPOILT_DIGITS and number.isdecimal() and not number[_EXACT_DIGITS:].strip("0"):
        return "the tracking number was rounded by the spreadsheet"
    return "" if _NUMBER.fullmatch(number) and any(map(str.isdigit, number)) else "no tracking number"


def _read_written(text: str, order: DateOrder) -> int | None:
    iso = parse_time(text)
    if iso is not None:
        return iso
    match = _SLASH_DATE.fullmatch(text)
    if not match:
        return _read_month_name(_AROUND_DATE.sub("", text))
    first, second, year = (int(group) for group in match.groups())
    month, day = (first, second) if order == "month_first" else (second, first)
    return to_us(datetime(year + 2_000 if year < 100 else year, month, day, tzinfo=UTC))  # noqa: PLR2004 - two digits


def _read_month_name(text: str) -> int | None:
    for written in _MONTH_DATES:
        try:
            return to_us(datetime.strptime(text, written).replace(tzinfo=UTC))
        except ValueError:
            continue
    return None


def _read_counted(text: str) -> int | None:
    """Return a date that is written as Excel's number of the day."""
    days = float(text.replace(",", "."))
    return to_us(_EXCEL_EPOCH + timedelta(days=days)) if _FIRST_DAY <= days < _LAST_DAY else None
