"""Executes one statement for many rows.

On SQLite without SQLAlchemy's look at each value of each row, which costs half of what writing it does. What the
statement says, and how a column's values are handed to the driver, stays SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection as Database
from sqlalchemy import Delete, Dialect, Insert, Update

Statement = Insert | Update | Delete
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _PreparedStatement:
    """A statement as the driver takes it. `pick`: a row's values, in order; `handed`: how some are handed over."""

    text: str
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        """The row's values as the driver takes them."""
        found = list(self.pick(row))
        for place, hand in self.converters:
            found[place] = hand(found[place])
        return found


_PREPARED: WeakKeyDictionary[Dialect, dict[tuple[Statement, Names], _PreparedStatement | None]] = WeakKeyDictionary()


def execute_bulk(conn: Database, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute the statement once for each row. Rows are alike; a statement that is used again should be kept."""
    if not rows:
        return
    ready = _get_prepared(conn.dialect, statement, tuple(rows[0])) if conn.dialect.name == "sqlite" else None
    if ready is None:
        conn.execute(statement, rows)
    else:
        conn.exec_driver_sql(ready.text, [tuple(ready.values(row)) for row in rows])


def _get_prepared(dialect: Dialect, statement: Statement, names: Names) -> _PreparedStatement | None:
    known = _PREPARED.setdefault(dialect, {})
    if (statement, names) not in known:
        known[statement, names] = _prepare(dialect, statement, names)
    return known[statement, names]


def _prepare(dialect: Dialect, statement: Statement, names: Names) -> _PreparedStatement | None:
    """None if the statement wants values that rows do not name, such as a column's default, or but one value."""
    keys = None if isinstance(statement, Update) else list(names)
    written: Any = statement.compile(dialect=dialect, column_keys=keys)
    order = tuple(written.positiontup)
    if set(order) != set(names) or len(order) == 1:
        return None
    types = [written.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in order]
    return _PreparedStatement(
        str(written), itemgetter(*order), tuple((place, hand) for place, hand in enumerate(types) if hand is not None)
    )
