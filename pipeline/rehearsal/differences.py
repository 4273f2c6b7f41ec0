"""Collects the differences of a rehearsal in a file, so that their number does not matter, and counts them by kind.

A message that one run writes later than the other, with another hook, is gone first and new afterwards: such pairs are
found at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.rehearsal.compare import Change, MessageKey, compare_contents

EXAMPLES = 5  # of each group
_OUTCOME = "hook"  # the kind of a difference that is about a hook and not about a message

_TABLE = """
CREATE TABLE differences (
    id INTEGER PRIMARY KEY, change TEXT, connection INTEGER, person TEXT, kind TEXT, receipt TEXT, number INTEGER,
    event TEXT, fields TEXT, detail TEXT
)
"""
_INDEX = "CREATE INDEX by_key ON differences (connection, person, kind, receipt, number)"
_PAIRS = """
SELECT gone.id AS gone_id, new.id AS new_id, gone.detail AS before, new.detail AS after FROM differences AS gone
JOIN differences AS new USING (connection, person, kind, receipt, number)
WHERE gone.change = 'gone' AND new.change = 'new' AND gone.kind != 'hook'
"""
_GROUPS = """
SELECT connection, change, kind, event, fields, count(*) AS count, count(DISTINCT person) AS people
FROM differences GROUP BY connection, change, kind, event, fields
ORDER BY kind != 'hook', connection, event, kind, change, fields
"""
_OF_GROUP = """
SELECT * FROM differences WHERE (connection, change, kind, event, fields) = (?, ?, ?, ?, ?) ORDER BY id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One message or hook that differs. `detail`: {path: [before, after]} of a change; the content of a new one."""

    change: Change
    connection: int  # 0: of none
    person: str
    kind: str  # profile, event; hook: the outcome of a hook
    receipt: str
    event: str
    fields: Sequence[str]
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DifferenceGroup:
    """How many messages differ in the same way, and some of them."""

    connection: int
    change: Change
    kind: str
    event: str
    fields: Sequence[str]
    count: int
    people: int
    examples: Sequence[Difference]


class Differences:
    """The file of one rehearsal."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "differences.db", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", _TABLE, _INDEX):
            self._db.execute(statement)

    def close(self) -> None:
        """Close the file; its folder is deleted by the caller."""
        self._db.close()

    def add_outcome(self, receipt: str, event: str, before: str | None, after: str | None) -> None:
        """Note that a hook becomes something else. None: that run says nothing of it."""
        self._insert("changed", (0, "", _OUTCOME, receipt, 0), event, [f"{before} -> {after}"], {})

    def add_message(self, key: MessageKey, event: str, before: Any, after: Any) -> None:
        """Note a message by its contents; None: that run did not write it."""
        if before is None or after is None:
            self._insert("new" if before is None else "gone", key, event, [], after if before is None else before)
            return
        fields = compare_contents(before, after)
        self._insert("changed", key, event, sorted(fields), fields)

    def pair_late_messages(self) -> None:
        """Take out what both runs wrote, however late; what they wrote differently is a change."""
        pairs = self._db.execute(_PAIRS).fetchall()
        for pair in pairs:
            fields = compare_contents(json.loads(pair["before"]), json.loads(pair["after"]))
            self._db.execute("DELETE FROM differences WHERE id = ?", (pair["new_id"],))
            if not fields:
                self._db.execute("DELETE FROM differences WHERE id = ?", (pair["gone_id"],))
                continue
            changed = "UPDATE differences SET change = 'changed', fields = ?, detail = ? WHERE id = ?"
            self._db.execute(changed, (json.dumps(sorted(fields)), json.dumps(fields), pair["gone_id"]))

    def group(self) -> list[DifferenceGroup]:
        """Return the groups, those about hooks first, then by connection and event."""
        return [
            DifferenceGroup(
                row["connection"],
                row["change"],
                row["kind"],
                row["event"],
                json.loads(row["fields"]),
                row["count"],
                row["people"] if row["kind"] != _OUTCOME else 0,
                [_build(one) for one in self._db.execute(_OF_GROUP, (*tuple(row)[:5], EXAMPLES))],
            )
            for row in self._db.execute(_GROUPS).fetchall()
        ]

    def count(self) -> int:
        """Return how many there are."""
        return int(self._db.execute("SELECT count(*) FROM differences").fetchone()[0])

    def __iter__(self) -> Iterator[Difference]:
        """Yield all of them, in the order of the hooks."""
        yield from map(_build, self._db.execute("SELECT * FROM differences ORDER BY id"))

    def _insert(self, change: str, key: tuple[Any, ...], event: str, fields: Sequence[str], detail: Any) -> None:
        values = (change, *key, event, json.dumps(fields), json.dumps(detail))
        columns = "change, connection, person, kind, receipt, number, event, fields, detail"
        self._db.execute(f"INSERT INTO differences ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", values)  # noqa: S608


def _build(row: sqlite3.Row) -> Difference:
    return Difference(
        row["change"],
        row["connection"],
        row["person"],
        row["kind"],
        row["receipt"],
        row["event"],
        json.loads(row["fields"]),
        json.loads(row["detail"]),
    )
