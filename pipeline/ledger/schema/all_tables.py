"""Every table of the ledger, whichever of them a process has imported so far."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import Table

from pipeline.ledger import schema
from pipeline.ledger.schema.base import Base


@cache
def list_all_tables() -> list[Table]:
    """All tables, each after those that it refers to."""
    for module in iter_modules(schema.__path__, f"{schema.__name__}."):
        import_module(module.name)
    return Base.metadata.sorted_tables
