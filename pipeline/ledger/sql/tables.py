"""A model's table, and lists of a size that one statement takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Table

from pipeline.ledger.schema import core

_CHUNK_SIZE = 400  # bound parameters in one statement: SQLite takes 32 766, plans stay small


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Lists of a size that fits one statement."""
    listed = list(items)
    for start in range(0, len(listed), _CHUNK_SIZE):
        yield listed[start : start + _CHUNK_SIZE]


def get_table(model: type[core.Base]) -> Table:
    """The model's table, for bulk statements."""
    return cast("Table", model.__table__)  # a FromClause in general, a Table for every model that has a table
