"""Extensiv 3PL Warehouse Manager, formerly 3PL Central: its REST API."""

from pipeline.warehouses.extensiv_3pl.warehouse import WarehouseManager

__all__ = ["WarehouseManager"]
