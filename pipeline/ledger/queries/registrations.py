"""The state of the hooks registered at Cratejoy, by store, as of the last audit."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.store_apis import HookFinding, StoreAPI

_HARMLESS_KINDS = ("foreign", "unknown_event")  # worth knowing, but no faults


@dataclass(frozen=True, slots=True)
class RegistrationSummary:
    """One store whose API keys are saved."""

    store: str
    registers: bool
    status: str
    status_reason: str | None
    audited_at: int | None
    audit_error: str | None
    faults: int  # that are still open


def list_registrations(conn: Connection) -> list[RegistrationSummary]:
    """Every store whose API keys are saved, by name."""
    fault = and_(
        HookFinding.store_id == StoreAPI.store_id,
        HookFinding.mended_at.is_(None),
        HookFinding.kind.not_in(_HARMLESS_KINDS),
    )
    api = StoreAPI
    query = (
        select(Store.name, api.registers, api.status, api.status_reason, api.audited_at, api.audit_error)
        .add_columns(select(func.count()).where(fault).correlate(StoreAPI).scalar_subquery())
        .join(api, api.store_id == Store.id)
        .order_by(Store.name)
    )
    return [RegistrationSummary(*row) for row in conn.execute(query)]
