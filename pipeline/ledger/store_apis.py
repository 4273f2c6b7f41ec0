"""The Merchant APIs of stores. `config` comes and goes encrypted: the ledger cannot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.schema.store_apis import HookFinding, StoreAPI
from pipeline.ledger.sql.tables import insert_into

ACTIVE, REFUSED = "active", "refused"


@dataclass(frozen=True, slots=True)
class StoreAPIRow:
    """A store's API as the ledger has it."""

    store_id: int
    config: bytes = field(repr=False)
    enabled_at: int  # µs; what the store did before is none of our business
    status: str
    status_reason: str | None
    checked_at: int
    registers: bool
    audit_at: int
    audited_at: int | None
    audit_error: str | None


def save_store_api(conn: Connection, store_id: int, config: bytes, now: int) -> None:
    """Save keys that were just tried; the hooks are looked at next. New keys leave `enabled_at` as it is."""
    changed = {"config": config, "status": ACTIVE, "status_reason": None, "checked_at": now}
    changed |= {"registers": True, **_audit_due_at(now)}
    made = insert_into(conn, StoreAPI).values(store_id=store_id, enabled_at=now, **changed)
    conn.execute(made.on_conflict_do_update(index_elements=[StoreAPI.store_id], set_=changed))


def find_store_api(conn: Connection, store_id: int) -> StoreAPIRow | None:
    """The store's API; None if we have no keys for it."""
    row = conn.execute(select(StoreAPI.__table__).where(StoreAPI.store_id == store_id)).one_or_none()
    return None if row is None else StoreAPIRow(**row._asdict())


def list_stores_with_api(conn: Connection) -> list[int]:
    """The ids of the stores we have keys for."""
    return list(conn.execute(select(StoreAPI.store_id).order_by(StoreAPI.store_id)).scalars())


def record_key_check(conn: Connection, store_id: int, refusal: str | None, now: int) -> None:
    """The keys were tried: they work (None), or were refused, and how. `checked_at` is when that began."""
    if refusal is None:
        record_api_success(conn, store_id, now)
        conn.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(checked_at=now))
        return
    mine = StoreAPI.store_id == store_id
    conn.execute(update(StoreAPI).where(mine, StoreAPI.status == ACTIVE).values(checked_at=now, status=REFUSED))
    conn.execute(update(StoreAPI).where(mine).values(status_reason=refusal))


def record_api_success(conn: Connection, store_id: int, now: int) -> None:
    """A question was answered. If the keys had been refused, nothing that rests because of that rests any longer."""
    refused = StoreAPI.store_id == store_id, StoreAPI.status == REFUSED
    works = {"status": ACTIVE, "status_reason": None, "checked_at": now, "audit_error": None}
    if not conn.execute(update(StoreAPI).where(*refused).values(works)).rowcount:
        return
    again = {"next_at": now, "error": None}
    conn.execute(update(Reconciliation).where(Reconciliation.store_id == store_id).values(again))
    rests = Backfill.store_id == store_id, Backfill.state == "running", Backfill.next_step_at > now
    further = {"next_step_at": now, "error": None, "attempts": 0, "steps": Backfill.steps + 1}
    conn.execute(update(Backfill).where(*rests).values(further))


def list_due_audits(conn: Connection, now: int) -> list[int]:
    """The stores whose hooks are to be looked at by now, the longest overdue first."""
    due = select(StoreAPI.store_id).where(StoreAPI.audit_at <= now).order_by(StoreAPI.audit_at)
    return list(conn.execute(due).scalars())


def record_audit(conn: Connection, store_id: int, asked_at: int, next_at: int, error: str | None = None) -> None:
    """An audit has ended, or must wait: when it goes on, and why it could not come to its end.

    If somebody has asked for another audit since `asked_at`, that one stays asked for.
    """
    mine = update(StoreAPI).where(StoreAPI.store_id == store_id, StoreAPI.audit_at == asked_at)
    conn.execute(mine.values(audit_at=next_at, audit_error=error))


def set_hook_registration(conn: Connection, store_id: int, now: int, *, registers: bool) -> None:
    """Say whether our hooks are to be registered at Cratejoy, or to be removed; an audit sees to it next."""
    wanted = {"registers": registers, **_audit_due_at(now)}
    conn.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(wanted))


def request_hook_audit(conn: Connection, store_id: int, now: int) -> None:
    """Have the hooks listed anew now: what the last audit found holds no longer, or somebody wants to know."""
    conn.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(_audit_due_at(now)))


def delete_store_api(conn: Connection, store_id: int) -> None:
    """The store's keys, and what was found with them, are deleted."""
    conn.execute(delete(HookFinding).where(HookFinding.store_id == store_id))
    conn.execute(delete(StoreAPI).where(StoreAPI.store_id == store_id))


def _audit_due_at(now: int) -> dict[str, int | None]:
    return {"audit_at": now, "audited_at": None, "audit_error": None}
