"""How the contract reads answers."""

from __future__ import annotations

from pipeline.core.fulfilment import (
    OutcomeUnknown,
    Retryable,
    ShippedPage,
    WarehouseOrder,
)
from pipeline.warehouses.base import Warehouse


def is_in_doubt(warehouse: Warehouse, answer: object) -> bool:
    """Whether the answer says that it may have been done, and does not ask for a repetition that could double it."""
    if isinstance(answer, Retryable):
        return answer.may_be_done and warehouse.capabilities.repeats_safely
    return isinstance(answer, OutcomeUnknown)


def list_all(warehouse: Warehouse, open_orders: list[tuple[str, str]]) -> list[WarehouseOrder]:
    """Every part of what was shipped."""
    found: list[WarehouseOrder] = []
    cursor = ""
    while True:
        page = warehouse.list_shipped(open_orders, cursor)
        assert isinstance(page, ShippedPage), page
        found += page.orders
        cursor = page.cursor
        if not cursor:
            return found
