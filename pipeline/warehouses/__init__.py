"""The registry of warehouses: one folder or file each, one line here."""

from __future__ import annotations

from pipeline.warehouses.base import Warehouse
from pipeline.warehouses.cartrover import CartRover
from pipeline.warehouses.extensiv_3pl import WarehouseManager
from pipeline.warehouses.signed_webhook import SignedWebhook
from pipeline.warehouses.spreadsheet import Spreadsheet

WAREHOUSES: dict[str, type[Warehouse]] = {
    CartRover.adapter: CartRover,
    WarehouseManager.adapter: WarehouseManager,
    SignedWebhook.adapter: SignedWebhook,
    Spreadsheet.adapter: Spreadsheet,
}


def get_title(adapter: str) -> str:
    """What people see of a warehouse."""
    known = WAREHOUSES.get(adapter)
    return known.title if known else adapter
