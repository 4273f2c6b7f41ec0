"""Findings of the audits of the hooks at Cratejoy: the open ones of the last audit, and those fixed within a month."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from pipeline.events.catalogue import EVENTS
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
        """Whether a remedy has yet to be tried."""
        return self.remedy is not None and self.mended_at is None and self.failure is None


def replace_findings(
    conn: Connection, store_id: int, found: Iterable[Mapping[str, Any]], now: int, asked_at: int
) -> None:
    """Replace the open findings by those of a new audit. A finding that persists keeps its `found_at`.

    If another audit has been requested since `asked_at`, this audit does not count as the last.
    """
    before = {_row_key(row): row.found_at for row in list_findings(conn, store_id) if row.mended_at is None}
    of_store = HookFinding.store_id == store_id
    conn.execute(delete(HookFinding).where(of_store, HookFinding.mended_at.is_(None)))
    conn.execute(delete(HookFinding).where(of_store, HookFinding.mended_at < now - RETENTION_US))
    rows = [{**finding, "store_id": store_id, "found_at": before.get(_finding_key(finding), now)} for finding in found]
    if rows:
        conn.execute(insert(HookFinding), rows)
    audited = update(StoreAPI).where(StoreAPI.store_id == store_id, StoreAPI.audit_at == asked_at)
    conn.execute(audited.values(audited_at=now))


def list_findings(conn: Connection, store_id: int) -> list[FindingRow]:
    """A store's findings, oldest first."""
    query = select(HookFinding.__table__).where(HookFinding.store_id == store_id).order_by(HookFinding.id)
    return [FindingRow(**row._asdict()) for row in conn.execute(query)]


def count_faulty_hooks(conn: Connection, store_ids: Collection[int]) -> dict[int, int]:
    """Store id -> how many of our hooks are not registered as they should be; absent: none."""
    is_faulty = HookFinding.mended_at.is_(None), HookFinding.kind != "foreign", HookFinding.event.in_(EVENTS)
    query = select(HookFinding.store_id, func.count(HookFinding.event.distinct()).label("hooks"))
    rows = conn.execute(query.where(HookFinding.store_id.in_(store_ids), *is_faulty).group_by(HookFinding.store_id))
    return {row.store_id: row.hooks for row in rows}


def mark_fixed(conn: Connection, finding_id: int, now: int, hook_id: int | None = None) -> None:
    """Record that the remedy worked. `hook_id`: of a hook that was created."""
    created = {} if hook_id is None else {"hook_id": hook_id}
    conn.execute(update(HookFinding).where(HookFinding.id == finding_id).values(mended_at=now, **created))


def record_fix_failure(conn: Connection, finding_id: int, failure: str) -> None:
    """Record that the remedy was refused; the next audit tries it again."""
    conn.execute(update(HookFinding).where(HookFinding.id == finding_id).values(failure=failure))


def _row_key(row: FindingRow) -> tuple[object, ...]:
    return row.kind, row.event, row.hook_id


def _finding_key(finding: Mapping[str, Any]) -> tuple[object, ...]:
    return finding["kind"], finding["event"], finding["hook_id"]
