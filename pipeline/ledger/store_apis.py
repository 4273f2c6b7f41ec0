"""The Merchant APIs of stores. `config` is encrypted and decrypted by the callers: the ledger cannot read it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from pipeline.infra.crypto.encryption import RowIdentity
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
    enabled_at: int  # µs; the store's objects from before are ignored
    status: str
    status_reason: str | None
    checked_at: int
    registers: bool
    audit_at: int
    audited_at: int | None
    audit_error: str | None

    @property
    def identity(self) -> RowIdentity:
        """What `config` is encrypted for."""
        return build_api_identity(self.store_id)


def build_api_identity(store_id: int) -> RowIdentity:
    """What the keys of a store's API are encrypted for."""
    return RowIdentity("store_apis", store_id, store_id)


def save_store_api(conn: Connection, store_id: int, config: bytes, now: int) -> None:
    """Save keys that have just been checked; an audit of the hooks is due. New keys leave `enabled_at` as it is."""
    changed = {"config": config, "status": ACTIVE, "status_reason": None, "checked_at": now}
    changed |= {"registers": True, **_audit_due_at(now)}
    statement = insert_into(conn, StoreAPI).values(store_id=store_id, enabled_at=now, **changed)
    conn.execute(statement.on_conflict_do_update(index_elements=[StoreAPI.store_id], set_=changed))


def find_store_api(conn: Connection, store_id: int) -> StoreAPIRow | None:
    """The store's API; None if no keys are saved for it."""
    row = conn.execute(select(StoreAPI.__table__).where(StoreAPI.store_id == store_id)).one_or_none()
    return None if row is None else StoreAPIRow(**row._asdict())


def list_audited_stores(conn: Connection, store_ids: Collection[int]) -> set[int]:
    """Those of these stores whose hooks we register, and have been compared with what is registered."""
    audited = StoreAPI.store_id.in_(store_ids), StoreAPI.registers, StoreAPI.audited_at.is_not(None)
    return set(conn.execute(select(StoreAPI.store_id).where(*audited)).scalars())


def list_stores_with_api(conn: Connection) -> list[int]:
    """The ids of the stores whose API keys are saved."""
    return list(conn.execute(select(StoreAPI.store_id).order_by(StoreAPI.store_id)).scalars())


def record_key_check(conn: Connection, store_id: int, refusal: str | None, now: int) -> None:
    """Record whether the keys work (None) or why they are refused. `checked_at` is when the present state began."""
    if refusal is None:
        record_api_success(conn, store_id, now)
        conn.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(checked_at=now))
        return
    of_store = StoreAPI.store_id == store_id
    conn.execute(update(StoreAPI).where(of_store, StoreAPI.status == ACTIVE).values(checked_at=now, status=REFUSED))
    conn.execute(update(StoreAPI).where(of_store).values(status_reason=refusal))


def record_api_success(conn: Connection, store_id: int, now: int) -> None:
    """Record a successful call. If the keys had been refused, reconciliation and backfill are due at once."""
    refused = StoreAPI.store_id == store_id, StoreAPI.status == REFUSED
    works = {"status": ACTIVE, "status_reason": None, "checked_at": now, "audit_error": None}
    if not conn.execute(update(StoreAPI).where(*refused).values(works)).rowcount:
        return
    due = {"next_at": now, "error": None}
    conn.execute(update(Reconciliation).where(Reconciliation.store_id == store_id).values(due))
    waiting = Backfill.store_id == store_id, Backfill.state == "running", Backfill.next_step_at > now
    step_due = {"next_step_at": now, "error": None, "attempts": 0, "steps": Backfill.steps + 1}
    conn.execute(update(Backfill).where(*waiting).values(step_due))


def list_due_audits(conn: Connection, now: int) -> list[int]:
    """The stores whose audit of the hooks is due, the longest overdue first."""
    due = select(StoreAPI.store_id).where(StoreAPI.audit_at <= now).order_by(StoreAPI.audit_at)
    return list(conn.execute(due).scalars())


def record_audit(conn: Connection, store_id: int, asked_at: int, next_at: int, error: str | None = None) -> None:
    """Record that an audit has ended or must wait: when the next one is due, and why this one did not finish.

    An audit that was requested since `asked_at` stays due.
    """
    statement = update(StoreAPI).where(StoreAPI.store_id == store_id, StoreAPI.audit_at == asked_at)
    conn.execute(statement.values(audit_at=next_at, audit_error=error))


def set_hook_registration(conn: Connection, store_id: int, now: int, *, registers: bool) -> None:
    """Set whether our hooks shall be registered at Cratejoy or removed; the next audit, due now, does it."""
    values = {"registers": registers, **_audit_due_at(now)}
    conn.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(values))


def request_hook_audit(conn: Connection, store_id: int, now: int) -> None:
    """Make an audit of the hooks due now, because the last one is out of date or a person asks for it."""
    conn.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(_audit_due_at(now)))


def delete_store_api(conn: Connection, store_id: int) -> None:
    """Delete the store's keys and the findings about its hooks."""
    conn.execute(delete(HookFinding).where(HookFinding.store_id == store_id))
    conn.execute(delete(StoreAPI).where(StoreAPI.store_id == store_id))


def _audit_due_at(now: int) -> dict[str, int | None]:
    return {"audit_at": now, "audited_at": None, "audit_error": None}
