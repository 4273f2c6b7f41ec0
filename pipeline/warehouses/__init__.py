"""The registry of warehouses: one folder or file each, one line here."""

from __future__ import annotations

from pipeline.warehouses.base import Warehouse

WAREHOUSES: dict[str, type[Warehouse]] = {}
