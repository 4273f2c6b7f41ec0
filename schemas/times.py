"""Reads a time in every format that the store uses, and returns it as ISO-8601 text in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z")
_END_OF_DAY = re.compile(r"([0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ])24(:?00(?::?00(?:[.,]0{1,9})?)?)?(Z|[+-][0-9:]{2,8})?")
_EPOCH_TEXT = re.compile(r"[0-9]{9,14}")  # fewer digits are a compact date, or no time
# Hook bodies have epoch milliseconds (Cratejoy's docs: shipment sample), and clients have seen seconds. As milliseconds
# this bound is March 1973, as seconds the year 5138: no time of a store is on the wrong side of it.
_MAX_EPOCH_SECONDS = 10**11


def iso_utc(value: str | float) -> str:
    """Return `YYYY-MM-DDTHH:MM:SSZ`, with milliseconds if there are any. Raises ValueError for any other value.

    A time without a zone is UTC: the REST API uses no other.
    """
    moment = _from_text(value) if isinstance(value, str) else _from_number(value)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("year out of range")
    if isinstance(value, str) and _CANONICAL.fullmatch(value):
        return value
    seconds = moment.strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = moment.microsecond // 1000
    return f"{seconds}.{milliseconds:03}Z" if milliseconds else f"{seconds}Z"


def _from_text(text: str) -> datetime:
    if _EPOCH_TEXT.fullmatch(text):
        return _from_number(int(text))
    try:
        moment = _parse_iso(text.upper())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("year out of range") from error


def _parse_iso(text: str) -> datetime:
    """Parse ISO 8601, in which midnight may also be 24:00 of the day before."""
    if match := _END_OF_DAY.fullmatch(text):
        day, rest, zone = match.groups(default="")
        return datetime.fromisoformat(f"{day}00{rest}{zone}") + timedelta(days=1)
    return datetime.fromisoformat(text)


def _from_number(number: float) -> datetime:
    try:
        milliseconds = round(number * 1000 if number < _MAX_EPOCH_SECONDS else number)
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:  # infinity, or a year beyond 9999
        raise ValueError("year out of range") from error
