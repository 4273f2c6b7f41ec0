"""What the ledger keeps: since when, for how long, and how much of each kind was deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.retention.kinds import KINDS
from pipeline.ledger.retention.progress import Progress, load_progress

DAY_US = 86_400_000_000
MAX_LAG_US = DAY_US  # the sweep runs every few seconds, and begins a pass every hour


@dataclass(frozen=True, slots=True)
class KeptData:
    """One kind of data. Times in µs. `days` 0: it is kept for ever. `oldest_at` None: there is none.

    `is_late`: rows are a day older than they should be, and no pass has ended, or begun, for a day.
    """

    kind: str
    days: int
    oldest_at: int | None
    deleted: int  # rows, in total
    swept_at: int | None  # the end of the last pass
    is_late: bool


def list_kept_data(conn: Connection, days: Mapping[str, int], now: int) -> list[KeptData]:
    """Every kind, with its oldest row. `days` by kind. Cheap: it reads one row of each table."""
    known = load_progress(conn)
    found = []
    for kind in KINDS:
        progress = known.get(kind.name, Progress(kind.name))
        after = progress.cursor if progress.left_behind is None else min(progress.cursor, progress.left_behind - 1)
        params = {"after": 0 if kind.restarts else after}
        oldest_at = conn.execute(kind.oldest, params).scalar()
        is_late = _is_late(progress, days[kind.name], oldest_at, now)
        found.append(KeptData(kind.name, days[kind.name], oldest_at, progress.deleted, progress.swept_at, is_late))
    return found


def _is_late(progress: Progress, days: int, oldest_at: int | None, now: int) -> bool:
    """Rows that must stay, such as an event with an open message, do not count: a pass has looked at them."""
    if not days or oldest_at is None or oldest_at >= now - days * DAY_US - MAX_LAG_US:
        return False
    return max(progress.began_at or 0, progress.swept_at or 0) < now - MAX_LAG_US
