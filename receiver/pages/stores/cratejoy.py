"""A store's status at Cratejoy: its keys, its hooks, and what of them was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from pipeline.events.catalogue import EVENTS
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.hook_findings import FindingRow, list_findings
from pipeline.ledger.observation import DayCount
from pipeline.ledger.queries import ReconciliationSummary, count_last_week, list_reconciliations
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from pipeline.operations.figures import HOOKS_WANTED
from receiver.pages.filters import reason, sentence

CratejoyState = Literal["done", "underway", "failed", "removed", "by hand"]


@dataclass(frozen=True, slots=True)
class CratejoyStatus:
    """A store's status at Cratejoy. `trouble`: a sentence for each fault; what can be fixed is retried.

    `faults`: event -> what is wrong with its hook. Without keys (`by hand`) nothing is known about the hooks.
    """

    state: CratejoyState
    audited_at: int | None
    trouble: list[str]
    faults: dict[str, str]
    keys_refused: bool = False

    @property
    def hooks_registered(self) -> int:
        """How many of the hooks are registered as they should be, as of the last audit."""
        return HOOKS_WANTED - len(self.faults) if self.audited_at is not None and self.state != "removed" else 0


def load_cratejoy_status(conn: Connection, store_id: int) -> CratejoyStatus:
    """Load the status as found by the last audit of the hooks."""
    api = find_store_api(conn, store_id)
    if api is None:
        return CratejoyStatus("by hand", None, [], {})
    findings = [
        finding for finding in list_findings(conn, store_id) if finding.mended_at is None and finding.kind != "foreign"
    ]
    faults = {finding.event: _describe(finding) for finding in findings if finding.event in EVENTS}
    if api.status != ACTIVE:
        refused = [sentence(api.status_reason or "Cratejoy refused the keys")]
        return CratejoyStatus("failed", api.audited_at, refused, faults, keys_refused=True)
    trouble = [f"{finding.event or 'a hook'}: {_describe(finding)}" for finding in findings]
    trouble += [sentence(api.audit_error)] if api.audit_error else []
    is_pending = api.audited_at is None or any(finding.is_fixable for finding in findings)
    settled: CratejoyState = "done" if api.registers else "removed"
    state: CratejoyState = "underway" if is_pending else "failed" if findings else settled
    return CratejoyStatus(state, api.audited_at, trouble, faults)


@dataclass(frozen=True, slots=True)
class MissedHooksView:
    """`days`: those on which hooks of an event were missed or late, newest first."""

    compared: ReconciliationSummary
    days: Sequence[DayCount]


def load_missed_hooks(conn: Connection, store: str, now: int) -> MissedHooksView | None:
    """Load the missed hooks of the last seven days; None if there are no keys for the store's API."""
    week = count_last_week(conn, now, [store])
    reconciliations = list_reconciliations(conn, now, [store], week)
    days = [day for day in week if day.missed or day.late]
    return MissedHooksView(reconciliations[0], days) if reconciliations else None


def _describe(finding: FindingRow) -> str:
    return reason(finding.failure) if finding.failure else FINDING_TEXTS[finding.kind]
