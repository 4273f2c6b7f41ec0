"""The list envelope: count, results, and relative query strings for the next and the previous page."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.store.state import Row
from sandbox.store.switches import Switches


class BadPage(ValueError):
    """A page or limit that is no number."""


def page_of(
    rows: list[Row], arguments: Iterable[tuple[str, str]], switches: Switches, most: int | None
) -> tuple[list[Row], Row]:
    """This page's rows, and the envelope around them without `results`."""
    given = dict(arguments)
    limit = limit_of(given, switches, most)
    base = switches.page_base
    # A capture counts from 1 and takes page 0 for the first as well.
    page = max(base, number(given.get("page"), base))
    start = (page - base) * limit
    envelope: dict[str, Any] = {
        "count": len(rows),
        "next": query(given, page + 1) if start + limit < len(rows) else None,
        "prev": query(given, page - 1) if page > base else None,
    }
    return rows[start : start + limit], envelope


def limit_of(given: dict[str, str], switches: Switches, most: int | None) -> int:
    """How many rows a page has; `most` is the list's own cap, beside the one that the switch may set."""
    caps = [cap for cap in (switches.max_limit, most) if cap]
    return min([max(1, number(given.get("limit"), switches.default_limit)), *caps])


def number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        return int(text)
    except ValueError as error:
        raise BadPage("page and limit are whole numbers") from error


def query(given: dict[str, str], page: int) -> str:
    """`?page=2&shipped_at__ge=2016-03-14T00%3A00%3A00Z`: the page first, then all that was asked for."""
    others = {name: value for name, value in given.items() if name != "page"}
    return "?" + urlencode({"page": page, **others}, quote_via=quote, safe="")
