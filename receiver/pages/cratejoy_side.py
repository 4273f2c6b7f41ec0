"""How a store's side at Cratejoy stands: whether its keys work, and whether its hooks are registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from pipeline.ledger.hook_findings import findings_of
from pipeline.ledger.store_apis import ACTIVE, find_api
from pipeline.registration.comparing import KINDS
from receiver.pages.shown import reason, sentence

State = Literal["done", "underway", "failed", "removed", "by hand"]


@dataclass(frozen=True, slots=True)
class CratejoySide:
    """What a page says of it. `trouble`: a sentence each; what can be mended by itself is tried again by itself."""

    state: State
    looked_at: int | None
    trouble: list[str]
    keys_refused: bool = False


def cratejoy_side(db: Connection, store_id: int) -> CratejoySide:
    """As the last audit of the hooks found it."""
    api = find_api(db, store_id)
    if api is None:
        return CratejoySide("by hand", None, [])
    if api.status != ACTIVE:
        return CratejoySide(
            "failed", api.audited_at, [sentence(api.status_reason or "Cratejoy refused the keys")], keys_refused=True
        )
    found = [one for one in findings_of(db, store_id) if one.mended_at is None and one.kind != "foreign"]
    trouble = [f"{one.event or 'a hook'}: {reason(one.failure) if one.failure else KINDS[one.kind]}" for one in found]
    trouble += [sentence(api.audit_error)] if api.audit_error else []
    underway = api.audited_at is None or any(one.can_be_mended for one in found)
    done: State = "done" if api.registers else "removed"
    return CratejoySide("underway" if underway else "failed" if found else done, api.audited_at, trouble)
