"""The lists of orders: which status, which dates, which page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from sandbox.warehouse.cartrover.orders_out import delivered_at, status_of
from sandbox.warehouse.orders import Order
from sandbox.warehouse.switches import Switches

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
FLAGS = ("include_filtered_items", "include_order_extras", "include_line_extras", "include_aliases")
KNOWN = {"from_date", "to_date", "limit", "page", "order_source", *FLAGS}

ALL = ("new", "at_wms", "partial", "shipped", "confirmed", "error", "canceled")
LISTS: Mapping[str, tuple[str, ...]] = {
    **{status: (status,) for status in ALL},
    "new_or_at_wms": ("new", "at_wms"),
    "shipped_or_confirmed": ("shipped", "confirmed"),
    "any": ALL,
}


class BadQuery(ValueError):
    """A query that cannot be answered; the message names the parameter."""


class Query(NamedTuple):
    """A list that was asked for; dates are seconds since the epoch."""

    status: str
    from_date: float | None
    to_date: float | None
    limit: int
    page: int
    order_source: str | None

    @property
    def is_open_ended_any(self) -> bool:
        """Does it ask for everything that ever was? The vendor's server then times out."""
        return self.status == "any" and (self.from_date is None or self.to_date is None)


def read_query(status: str, given: Mapping[str, str]) -> Query:
    """Return the query, or raise BadQuery."""
    if status not in LISTS:
        raise BadQuery(f"Invalid status: {status}")
    unknown = set(given) - KNOWN
    if unknown:
        raise BadQuery(f"Invalid parameter: {', '.join(sorted(unknown))}")
    for flag in FLAGS:
        if given.get(flag, "N") not in {"Y", "N"}:
            raise BadQuery(f"{flag} is Y or N")
    limit = _count("limit", given.get("limit", str(DEFAULT_LIMIT)))
    if limit > MAX_LIMIT:
        raise BadQuery(f"limit is at most {MAX_LIMIT}")
    return Query(
        status,
        _date("from_date", given.get("from_date")),
        _date("to_date", given.get("to_date")),
        limit,
        _count("page", given.get("page", "1")),
        given.get("order_source"),
    )


def select(orders: list[Order], query: Query, switches: Switches, now: float) -> list[Order]:
    """Return all orders of a list, in the order in which they came."""
    wanted, date_of = LISTS[query.status], DATES[query.status]
    return [
        order
        for order in orders
        if status_of(order, switches, now) in wanted
        and query.order_source in {None, order.received.get("order_source", "CARTROVER")}
        and _is_within(date_of(order, switches), query)
    ]


def _is_within(date: float | None, query: Query) -> bool:
    if date is None:
        return query.from_date is None and query.to_date is None
    return (query.from_date is None or date >= query.from_date) and (query.to_date is None or date <= query.to_date)


def _loaded_at(order: Order, _: Switches) -> float | None:
    return order.packages[-1].loaded_at if order.packages else order.shipped_at


def _created_at(order: Order, _: Switches) -> float | None:
    return order.created_at


# What the dates mean depends on the list.
DATES: Mapping[str, Callable[[Order, Switches], float | None]] = {
    "new": _created_at,
    "new_or_at_wms": _created_at,
    "at_wms": delivered_at,
    "partial": _loaded_at,
    "shipped": _loaded_at,
    "shipped_or_confirmed": _loaded_at,
    "confirmed": lambda order, _: order.confirmed_at,
    "error": lambda order, _: order.held_at,
    "canceled": lambda order, _: order.cancelled_at,
    "any": _created_at,
}


def _count(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise BadQuery(f"{name} is a number from 1")
    return int(text)


def _date(name: str, text: str | None) -> float | None:
    """A `+` that was not escaped arrives as a blank, and is refused."""
    if text is None:
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.tzinfo is None or " " in text:
        raise BadQuery(f"{name} is no ISO 8601 time with a zone; a + in a query is written %2B")
    return date.timestamp()
