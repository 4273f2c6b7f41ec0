"""Finds rows by keys of several columns, by an index on both databases.

`(kind, id) IN ((…), …)` would be one statement, but SQLite reads the whole table for it: a hook cost five times as
much in a ledger of a million events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select
from sqlalchemy import Connection as Database

from pipeline.record.known import chunks


def rows_by(
    db: Database, query: Select[Any], columns: Sequence[ColumnElement[Any]], keys: Iterable[tuple[Any, ...]]
) -> Iterator[Any]:
    """The query's rows whose columns hold one of the keys. The last column should be the one with the most values."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for *heads, last in keys:
        groups.setdefault(tuple(heads), []).append(last)
    *leading, varied = columns
    for group, values in groups.items():
        same = [column == value for column, value in zip(leading, group, strict=True)]
        for part in chunks(values):
            yield from db.execute(query.where(*same, varied.in_(part)))
