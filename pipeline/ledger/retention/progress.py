"""How far each kind of data has been deleted: one row for each, written with every slice."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from sqlalchemy import Connection, select

from pipeline.core.slice_size import SliceSize
from pipeline.ledger.schema.retention import RetentionProgress
from pipeline.ledger.sql.bulk import upsert


@dataclass(frozen=True, slots=True)
class Progress:
    """One kind's row; the columns are explained in the schema."""

    kind: str
    cursor: int = 0
    left_behind: int | None = None
    slice_size: int = SliceSize().size
    began_at: int | None = None
    swept_at: int | None = None
    deleted: int = 0

    def begin_pass(self, now: int, *, restarts: bool) -> Progress:
        """The first step of a new pass: from the smallest id that may have to go now."""
        first = 0 if restarts else self.cursor if self.left_behind is None else self.left_behind - 1
        return replace(self, cursor=first, left_behind=None, began_at=now)

    def end_pass(self, now: int) -> Progress:
        return replace(self, began_at=None, swept_at=now)


def load_progress(conn: Connection) -> dict[str, Progress]:
    """Kind -> its progress, of all that have begun."""
    columns = [getattr(RetentionProgress, field.name) for field in fields(Progress)]
    return {row.kind: Progress(**row._asdict()) for row in conn.execute(select(*columns))}


def save_progress(conn: Connection, progress: Progress) -> None:
    row = {field.name: getattr(progress, field.name) for field in fields(Progress)}
    upsert(conn, RetentionProgress.__table__, [row], update_columns=[name for name in row if name != "kind"])
