"""Asks what has become of our open orders: 50 numbers in one call, or one by one where a tenant refuses that.

That `=in=` works on `referenceNum` is documented of the operator, not of the field. A cursor is the position of the
next open order; with "one:" before it once the list was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.core.fulfilment import (
    FindAnswer,
    NotFound,
    ShippedAnswer,
    ShippedPage,
    Trouble,
    WarehouseOrder,
)
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.calls import Endpoint
from pipeline.warehouses.extensiv_3pl.api import Api
from pipeline.warehouses.extensiv_3pl.orders import parse_order
from pipeline.warehouses.extensiv_3pl.problems import read_problem
from pipeline.warehouses.extensiv_3pl.reading import Listing, complete_packages, parse_orders, read_order
from pipeline.warehouses.extensiv_3pl.rql import is_one_of, order_query

NUMBERS_PER_CALL = 50
SINGLE_READS = 10  # of one part, so that a part is not long under way
_MAX_ROWS = 1_000  # more is an error; a number may have several orders
_BAD_REQUEST = 400
_ONE = "one:"

OpenOrders = Sequence[tuple[str, str]]


def list_shipped(
    api: Api, customer_id: int, find: Callable[[str], FindAnswer], open_orders: OpenOrders, cursor: str
) -> ShippedAnswer:
    """Return a part of the open orders that are open no more, or have a tracking number."""
    start = int(cursor.removeprefix(_ONE) or 0)
    if cursor.startswith(_ONE):
        return _read_singly(api, find, open_orders, start)
    part = open_orders[start : start + NUMBERS_PER_CALL]
    if not part:
        return ShippedPage(())
    path = order_query(customer_id, is_one_of(number for number, _ in part), rows=_MAX_ROWS, detail="All")
    response = api.call(Endpoint("GET", path, "/orders"))
    if isinstance(response, HTTPResponse) and _refuses_query(response):
        return _read_singly(api, find, open_orders, start)
    listing = parse_orders(response)
    orders = _complete(api, listing.rows) if isinstance(listing, Listing) else listing
    if not isinstance(orders, tuple):
        return orders
    following = start + len(part)
    return ShippedPage(orders, str(following) if following < len(open_orders) else "")


def _refuses_query(response: HTTPResponse) -> bool:
    problem = read_problem(response) if response.status == _BAD_REQUEST else None
    return problem is not None and problem.code in {"NotParsable", "DoesNotExist"}


def _complete(api: Api, rows: Sequence[Mapping[str, Any]]) -> tuple[WarehouseOrder, ...] | Trouble:
    orders = []
    for row in rows:
        order = parse_order(row)
        if order is None or order.progress == "open":
            continue
        completed = complete_packages(api, order, row)
        if not isinstance(completed, WarehouseOrder):
            return completed
        orders.append(completed)
    return tuple(orders)


def _read_singly(api: Api, find: Callable[[str], FindAnswer], open_orders: OpenOrders, start: int) -> ShippedAnswer:
    """Read the next orders one by one. What was read before trouble is kept, and the next part begins there."""
    orders: list[WarehouseOrder] = []
    position = start
    for number, order_id in open_orders[start : start + SINGLE_READS]:
        found = read_order(api, order_id) if order_id else find(number)
        if isinstance(found, WarehouseOrder):
            found = complete_packages(api, found, {})
        if not isinstance(found, WarehouseOrder | NotFound):
            return ShippedPage(tuple(orders), f"{_ONE}{position}") if orders else found
        if isinstance(found, WarehouseOrder) and found.progress != "open":
            orders.append(found)
        position += 1
    return ShippedPage(tuple(orders), f"{_ONE}{position}" if position < len(open_orders) else "")
