"""Where a list that is asked for by number goes on: a cursor is the next order's number.

Boxes leave the list of open ones while it is read, so a position would skip as many as have left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.core.fulfilment import (
    AuthError,
    FindAnswer,
    RateLimited,
    Retryable,
    ShippedPage,
    Trouble,
    WarehouseOrder,
)

OpenOrders = Sequence[tuple[str, str]]  # (order number, the warehouse's own id)
MAX_PART_US = 2_000_000  # then a part ends, so that a slow warehouse keeps no worker from other stores


def start_part(now: Callable[[], int]) -> Callable[[], bool]:
    """Return what says whether the part that begins now has lasted long enough."""
    until = now() + MAX_PART_US
    return lambda: now() >= until


def find_start(open_orders: OpenOrders, cursor: str) -> int:
    """Return the position of the cursor's order; of the first if it has left, or the cursor is empty."""
    return next((position for position, (number, _) in enumerate(open_orders) if number == cursor), 0)


def make_cursor(open_orders: OpenOrders, position: int) -> str:
    """Return the cursor of this position; empty beyond the last."""
    return open_orders[position][0] if position < len(open_orders) else ""


def read_singly(
    open_orders: OpenOrders,
    cursor: str,
    read: Callable[[str, str], FindAnswer],
    *,
    limit: int,
    is_over: Callable[[], bool] = lambda: False,
) -> ShippedPage | Trouble:
    """Read the next orders one by one; return those that are open no more, or have a tracking number.

    At least one is read, at most `limit`, and none once `is_over`.

    One order that cannot be read is left to the next poll; after a second one in the same part the warehouse is taken
    to be in trouble. What was read before trouble is kept, and the next part begins there.
    """
    orders: list[WarehouseOrder] = []
    start = position = find_start(open_orders, cursor)
    failed = 0
    for number, external_id in open_orders[start : start + limit]:
        if position > start and is_over():
            break
        found = read(number, external_id)
        failed += isinstance(found, Retryable)
        if isinstance(found, RateLimited | AuthError) or (isinstance(found, Retryable) and failed > 1):
            return ShippedPage(tuple(orders), make_cursor(open_orders, position)) if position > start else found
        if isinstance(found, WarehouseOrder) and found.progress != "open":
            orders.append(found)
        position += 1
    return ShippedPage(tuple(orders), make_cursor(open_orders, position))
