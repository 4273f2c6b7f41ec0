"""The list envelope: count, results, and relative query strings for the next and the previous page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.store.state import Row
from sandbox.store.switches import Switches


class BadPage(ValueError):
    """A page or limit that is no number."""


@dataclass(frozen=True)
class Window:
    """The requested rows: `page` as the store counts, `ordinal` counted from 1."""

    page: int
    limit: int
    base: int

    @property
    def start(self) -> int:
        return (self.page - self.base) * self.limit

    @property
    def ordinal(self) -> int:
        return self.page - self.base + 1


def parse_window(given: Mapping[str, str], switches: Switches, most: int | None) -> Window:
    """A capture counts pages from 1 and treats page 0 as the first page as well."""
    base = switches.page_base
    return Window(max(base, number(given.get("page"), base)), parse_limit(given, switches, most), base)


def build_envelope(rows: list[Row], window: Window, address: Callable[[int], str]) -> tuple[list[Row], Row]:
    """This page's rows, and the envelope around them without `results`. `address` leads to a page by its number."""
    end = window.start + window.limit
    envelope: dict[str, Any] = {
        "count": len(rows),
        "next": address(window.page + 1) if end < len(rows) else None,
        "prev": address(window.page - 1) if window.page > window.base else None,
    }
    return rows[window.start : end], envelope


def parse_limit(given: Mapping[str, str], switches: Switches, most: int | None) -> int:
    """How many rows a page has; `most` is the limit of the list, beside the limit that the switch may set."""
    caps = [cap for cap in (switches.max_limit, most) if cap]
    return min([max(1, number(given.get("limit"), switches.default_limit)), *caps])


def number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        return int(text)
    except ValueError as error:
        raise BadPage("page and limit are whole numbers") from error


def query(given: Mapping[str, str], page: int) -> str:
    """`?page=2&shipped_at__ge=2016-03-14T00%3A00%3A00Z`: the page first, then all parameters of the request."""
    others = {name: value for name, value in given.items() if name != "page"}
    return "?" + urlencode({"page": page, **others}, quote_via=quote, safe="")
