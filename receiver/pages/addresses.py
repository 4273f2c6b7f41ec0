"""Reads the ids and times of addresses and forms. What cannot be read is a 404, never an error of a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask, abort, request

from receiver.row_ids import RowIdConverter, parse_row_id

MAX_AT_US = 253_370_764_800_000_000  # the beginning of the year 9999: a span can be added to it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def add_address_rules(app: Flask) -> None:
    """Bound the ids in paths, and refuse what PostgreSQL cannot store. Call it before any page is registered."""
    app.url_map.converters["int"] = RowIdConverter

    @app.before_request
    def refuse_nul() -> None:
        given = (text for name, texts in request.values.lists() for text in (name, *texts))
        if any("\0" in text for text in (request.path, *given)):
            abort(400)


def read_id(text: str | None) -> int | None:
    """Read an id; None if there is no text."""
    if not text:
        return None
    number = parse_row_id(text)
    return abort(404) if number is None else number


def read_ids(texts: list[str], most: int) -> tuple[int, ...]:
    """Read up to `most` ids, without those that are none."""
    found = (parse_row_id(text) for text in texts)
    return tuple(number for number in found if number is not None)[:most]


def read_cursor(text: str | None) -> tuple[int | None, int | None]:
    """Read two ids with a dot between them, each of which may be missing: `12.7`, `.7`."""
    if not text:
        return None, None
    first, dot, second = text.partition(".")
    return (read_id(first), read_id(second)) if dot else abort(404)


def read_time(text: str | None) -> int | None:
    """Read a day or a time such as 2026-11-30T03:12, in UTC unless it says otherwise, in µs; None without a text.

    Times before 1970 or after 9998 are read as the border: they mean "from the beginning" and "until the end".
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        abort(404)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0, (at - _EPOCH) // _US), MAX_AT_US)
