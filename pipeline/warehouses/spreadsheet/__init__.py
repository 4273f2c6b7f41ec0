"""A spreadsheet as the warehouse: a batch goes out as a file, and tracking numbers come back in one."""

from pipeline.warehouses.spreadsheet.warehouse import Spreadsheet

__all__ = ["Spreadsheet"]
