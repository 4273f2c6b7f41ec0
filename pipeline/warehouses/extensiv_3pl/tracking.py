"""Asks what has become of our open orders: 50 numbers in one call, or one by one where a tenant refuses that.

That `=in=` works on `referenceNum` is documented of the operator, not of the field. A cursor has "one:" before it once
the list was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from pipeline.core.fulfilment import (
    AuthError,
    FindAnswer,
    RateLimited,
    ShippedAnswer,
    ShippedPage,
    Trouble,
    WarehouseOrder,
)
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.calls import Endpoint
from pipeline.warehouses.extensiv_3pl.absent import NUMBERS_PER_CALL, refuses_query
from pipeline.warehouses.extensiv_3pl.api import Api
from pipeline.warehouses.extensiv_3pl.orders import parse_order
from pipeline.warehouses.extensiv_3pl.reading import Listing, complete_packages, parse_orders, read_order
from pipeline.warehouses.extensiv_3pl.rql import is_one_of, order_query
from pipeline.warehouses.open_orders import OpenOrders, find_start, make_cursor, read_singly

SINGLE_READS = 10  # of one part, so that a part is not long under way
_MAX_ROWS = 1_000  # more is an error; a number may have several orders
_ONE = "one:"
_Shown = tuple[int, WarehouseOrder, Mapping[str, Any]]  # its position in the part, the order, and its row


def list_shipped(
    api: Api,
    customer_id: int,
    find: Callable[[str], FindAnswer],
    open_orders: OpenOrders,
    cursor: str,
    is_over: Callable[[], bool],
) -> ShippedAnswer:
    """Return a part of the open orders that are open no more, or have a tracking number. It ends once `is_over`."""
    if cursor.startswith(_ONE):
        return _read_singly(api, find, open_orders, cursor.removeprefix(_ONE), is_over)
    start = find_start(open_orders, cursor)
    part = open_orders[start : start + NUMBERS_PER_CALL]
    if not part:
        return ShippedPage(())
    path = order_query(customer_id, is_one_of(number for number, _ in part), rows=_MAX_ROWS, detail="All")
    response = api.call(Endpoint("GET", path, "/orders"))
    if isinstance(response, HTTPResponse) and refuses_query(response):
        return _read_singly(api, find, open_orders, cursor, is_over)
    listing = parse_orders(response)
    if not isinstance(listing, Listing):
        return listing
    positions = {number: position for position, (number, _) in enumerate(part)}
    shown = [(positions.get(order.order_number, 0), order, row) for row in listing.rows if (order := parse_order(row))]
    completed = _complete(api, sorted(shown, key=itemgetter(0)), len(part), is_over)
    if not isinstance(completed, tuple):
        return completed
    orders, done = completed
    return ShippedPage(orders, make_cursor(open_orders, start + done))


def _complete(
    api: Api, shown: Sequence[_Shown], count: int, is_over: Callable[[], bool]
) -> tuple[tuple[WarehouseOrder, ...], int] | Trouble:
    """Return the orders that have left, with their packages, and at which position of the part's `count` it ends."""
    orders: list[WarehouseOrder] = []
    for position, order, row in shown:
        if order.progress == "open":
            continue
        if position and is_over():  # the first of a part is always read
            return tuple(orders), position
        completed = complete_packages(api, order, row)
        if isinstance(completed, RateLimited | AuthError):
            return completed
        # An order whose packages cannot be read now is shipped all the same; the next poll reads them.
        orders.append(completed if isinstance(completed, WarehouseOrder) else order)
    return tuple(orders), count


def _read_singly(
    api: Api, find: Callable[[str], FindAnswer], open_orders: OpenOrders, cursor: str, is_over: Callable[[], bool]
) -> ShippedAnswer:
    def read(number: str, order_id: str) -> FindAnswer:
        found = read_order(api, order_id) if order_id else find(number)
        if isinstance(found, WarehouseOrder) and found.order_number != number:  # the id is another account's
            found = find(number)
        return complete_packages(api, found, {}) if isinstance(found, WarehouseOrder) else found

    page = read_singly(open_orders, cursor, read, limit=SINGLE_READS, is_over=is_over)
    return replace(page, cursor=f"{_ONE}{page.cursor}") if isinstance(page, ShippedPage) and page.cursor else page
