"""What audits of the hooks at Cratejoy have found: open findings of the last one, and what was mended in a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.ledger.schema.store_apis import HookFinding, StoreAPI

RETENTION_US = 30 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as the ledger has it."""

    id: int
    store_id: int
    kind: str
    event: str | None
    hook_id: int | None
    host: str | None
    remedy: str | None
    failure: str | None
    found_at: int
    mended_at: int | None

    @property
    def is_fixable(self) -> bool:
        """Whether a remedy is still to be tried."""
        return self.remedy is not None and self.mended_at is None and self.failure is None


def replace_findings(
    conn: Connection, store_id: int, found: Iterable[Mapping[str, Any]], now: int, asked_at: int
) -> None:
    """A new audit knows better: its findings take the place of the open ones. What lasts keeps its age.

    If somebody has asked for another audit since `asked_at`, this one does not count as the last.
    """
    before = {_row_key(row): row.found_at for row in list_findings(conn, store_id) if row.mended_at is None}
    mine = HookFinding.store_id == store_id
    conn.execute(delete(HookFinding).where(mine, HookFinding.mended_at.is_(None)))
    conn.execute(delete(HookFinding).where(mine, HookFinding.mended_at < now - RETENTION_US))
    rows = [{**one, "store_id": store_id, "found_at": before.get(_finding_key(one), now)} for one in found]
    if rows:
        conn.execute(insert(HookFinding), rows)
    audited = update(StoreAPI).where(StoreAPI.store_id == store_id, StoreAPI.audit_at == asked_at)
    conn.execute(audited.values(audited_at=now))


def list_findings(conn: Connection, store_id: int) -> list[FindingRow]:
    """A store's findings, oldest first."""
    query = select(HookFinding.__table__).where(HookFinding.store_id == store_id).order_by(HookFinding.id)
    return [FindingRow(**row._asdict()) for row in conn.execute(query)]


def mark_fixed(conn: Connection, finding_id: int, now: int, hook_id: int | None = None) -> None:
    """The remedy worked. `hook_id`: of a hook that was made."""
    made = {} if hook_id is None else {"hook_id": hook_id}
    conn.execute(update(HookFinding).where(HookFinding.id == finding_id).values(mended_at=now, **made))


def record_fix_failure(conn: Connection, finding_id: int, failure: str) -> None:
    """The remedy was refused; the next audit tries it again."""
    conn.execute(update(HookFinding).where(HookFinding.id == finding_id).values(failure=failure))


def _row_key(row: FindingRow) -> tuple[object, ...]:
    return row.kind, row.event, row.hook_id


def _finding_key(one: Mapping[str, Any]) -> tuple[object, ...]:
    return one["kind"], one["event"], one["hook_id"]
