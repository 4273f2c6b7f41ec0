"""How a store's side at Cratejoy stands: whether its keys work, and whether its hooks are registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from receiver.pages.filters import reason, sentence

CratejoyState = Literal["done", "underway", "failed", "removed", "by hand"]


@dataclass(frozen=True, slots=True)
class CratejoyStatus:
    """What a page says of it. `trouble`: a sentence each; what can be mended by itself is tried again by itself."""

    state: CratejoyState
    looked_at: int | None
    trouble: list[str]
    keys_refused: bool = False


def load_cratejoy_status(db: Connection, store_id: int) -> CratejoyStatus:
    """As the last audit of the hooks found it."""
    api = find_store_api(db, store_id)
    if api is None:
        return CratejoyStatus("by hand", None, [])
    if api.status != ACTIVE:
        return CratejoyStatus(
            "failed", api.audited_at, [sentence(api.status_reason or "Cratejoy refused the keys")], keys_refused=True
        )
    found = [one for one in list_findings(db, store_id) if one.mended_at is None and one.kind != "foreign"]
    trouble = [
        f"{one.event or 'a hook'}: {reason(one.failure) if one.failure else FINDING_TEXTS[one.kind]}" for one in found
    ]
    trouble += [sentence(api.audit_error)] if api.audit_error else []
    underway = api.audited_at is None or any(one.is_fixable for one in found)
    done: CratejoyState = "done" if api.registers else "removed"
    return CratejoyStatus("underway" if underway else "failed" if found else done, api.audited_at, trouble)
