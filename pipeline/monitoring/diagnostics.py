"""Diagnoses a silence before people are notified. Each check gives its result in a sentence.

To add a check, add a row to `DIAGNOSTIC_CHECKS`. A check starts in the transaction that opens the alarm; later sweeps
ask for its result until there is one. No check waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, func, select

from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.monitoring.alarms import list_open_alarms, record_diagnostics
from pipeline.ledger.monitoring.canaries import list_newest_canaries, request_canary
from pipeline.ledger.monitoring.rows import SILENCE, AlarmRow
from pipeline.ledger.observation import MISSED
from pipeline.ledger.queries import assess_chain, find_last_heartbeat
from pipeline.ledger.reconciliations import collect_errors, load_reconciliations, request_pass
from pipeline.ledger.schema.core import DeadHook
from pipeline.ledger.schema.reconciliation import ObservedEvent
from pipeline.ledger.store_apis import ACTIVE, find_store_api, request_hook_audit
from pipeline.monitoring.status import find_fault, is_settled

SECOND_US = 1_000_000
DIAGNOSIS_TIMEOUT_US = 600_000_000  # then the alarm is sent without the results that are missing


@dataclass(frozen=True, slots=True)
class SilentStore:
    """A store that sends no hooks. Times in µs."""

    store_id: int
    store: str
    last_hook_at: int
    alarm_opened_at: int
    now: int
    context: Context


@dataclass(frozen=True, slots=True)
class DiagnosticCheck:
    """A row of the table. `describe`: the result in a sentence; None: there is none yet."""

    name: str
    describe: Callable[[Connection, SilentStore], str | None]
    start: Callable[[Connection, SilentStore], None] | None = None


def _start_audit(conn: Connection, silent: SilentStore) -> None:
    if find_store_api(conn, silent.store_id):
        request_hook_audit(conn, silent.store_id, silent.now)


def _describe_audit(conn: Connection, silent: SilentStore) -> str | None:
    """The task `registration.tend` lists the hooks and fixes ours, within its own lease and the store's budget."""
    api = find_store_api(conn, silent.store_id)
    if api is None:
        return "The hooks registered at Cratejoy were not checked: we have no keys of its API."
    if api.status != ACTIVE or api.audit_error:
        return f"The hooks registered at Cratejoy could not be checked: {api.status_reason or api.audit_error}."
    findings = list_findings(conn, silent.store_id)
    if (api.audited_at or 0) < silent.alarm_opened_at or any(finding.is_fixable for finding in findings):
        return None
    fixed = [finding for finding in findings if (finding.mended_at or 0) >= silent.alarm_opened_at]
    left = [finding for finding in findings if finding.mended_at is None and finding.remedy]
    if left:
        return f"Of the hooks registered at Cratejoy {len(left)} could not be fixed."
    if fixed:
        kinds = ", ".join(sorted({FINDING_TEXTS[finding.kind] for finding in fixed}))
        return f"Of the hooks registered at Cratejoy {len(fixed)} were wrong, and were fixed: {kinds}."
    return "The hooks registered at Cratejoy are as they should be."


def _start_canary(conn: Connection, silent: SilentStore) -> None:
    if silent.context.settings.canary_seconds:
        request_canary(conn, silent.store_id, silent.context.make_nonce(), silent.now)


def _describe_canary(conn: Connection, silent: SilentStore) -> str | None:
    if not silent.context.settings.canary_seconds:
        return "No hook of our own was sent to the public address: CRATEWIRE_CANARY_SECONDS is 0."
    newest = list_newest_canaries(conn, 5, silent.store_id)
    canaries = [canary for canary in newest if canary.wanted_at >= silent.alarm_opened_at]
    settled = [canary for canary in canaries if is_settled(canary, silent.now)]
    if not settled:
        return None
    last = settled[0]
    if last.arrived_at is not None:
        took = (last.arrived_at - (last.sent_at or last.arrived_at)) / SECOND_US
        return f"A hook of our own, sent to the store's public address, was in the ledger {took:.1f} s later."
    fault = find_fault(last, silent.now) or "its answer was not written"
    return f"A hook of our own, sent to the store's public address, did not come back: {fault}."


def _start_comparison(conn: Connection, silent: SilentStore) -> None:
    if load_reconciliations(conn, silent.store_id):
        request_pass(conn, silent.store_id, silent.now)


def _describe_comparison(conn: Connection, silent: SilentStore) -> str | None:
    """The reconciliation finds what the store did meanwhile, and recovers the events."""
    rows = load_reconciliations(conn, silent.store_id)
    if not rows:
        return "What the store did meanwhile was not looked up: we have no keys of its API."
    errors = collect_errors(rows)
    if errors:
        return f"What the store did meanwhile could not be looked up: {', '.join(sorted(set(errors.values())))}."
    if any((row.done_at or 0) < silent.alarm_opened_at for row in rows):
        return None
    columns = ObservedEvent
    since = columns.store_id == silent.store_id, columns.state == MISSED, columns.seen_at > silent.last_hook_at
    missed = conn.execute(select(func.count()).select_from(ObservedEvent).where(*since)).scalar_one()
    if not missed:
        return "Cratejoy's API shows no event since then that a hook should have reported: the store may be quiet."
    return f"Cratejoy's API shows {pluralize(missed, 'event')} since then that no hook reported. All were recovered."


def _describe_chain(conn: Connection, silent: SilentStore) -> str:
    chain = assess_chain(find_last_heartbeat(conn), None, silent.now, silent.context.settings.heartbeat_seconds)
    if chain.alive is None:
        return "Whether hooks become events was not checked: CRATEWIRE_HEARTBEAT_SECONDS is 0."
    return "Hooks that arrive become events." if chain.alive else "Hooks that arrive do not become events now."


def _describe_dead_hooks(conn: Connection, silent: SilentStore) -> str:
    since = DeadHook.store == silent.store, DeadHook.replayed_at.is_(None), DeadHook.died_at > silent.last_hook_at
    count = conn.execute(select(func.count()).select_from(DeadHook).where(*since)).scalar_one()
    if not count:
        return "No hook has arrived that could not be read."
    return f"{pluralize(count, 'hook')} arrived and could not be read: see the dead hooks."


DIAGNOSTIC_CHECKS = (
    DiagnosticCheck("the hooks registered at Cratejoy", _describe_audit, _start_audit),
    DiagnosticCheck("a hook of our own", _describe_canary, _start_canary),
    DiagnosticCheck("looking up what the store did meanwhile", _describe_comparison, _start_comparison),
    DiagnosticCheck("the chain", _describe_chain),
    DiagnosticCheck("dead hooks", _describe_dead_hooks),
)


def start_diagnostics(
    conn: Connection,
    context: Context,
    store_id: int,
    now: int,
    checks: Sequence[DiagnosticCheck] = DIAGNOSTIC_CHECKS,
) -> None:
    """Start the checks of a store for which an alarm was opened now."""
    alarms = [alarm for alarm in list_open_alarms(conn, store_id, SILENCE) if alarm.since == now]
    for check in checks if alarms else ():
        if check.start:
            check.start(conn, _build_silent_store(context, alarms, now))


def collect_diagnostics(
    conn: Connection, context: Context, now: int, checks: Sequence[DiagnosticCheck] = DIAGNOSTIC_CHECKS
) -> None:
    """Write the results of all alarms whose checks have ended, or have timed out."""
    undiagnosed = [alarm for alarm in list_open_alarms(conn, kind=SILENCE) if alarm.tried_at is None]
    for _, group in groupby(sorted(undiagnosed, key=_group_key), key=_group_key):
        alarms = list(group)
        results = _describe_results(conn, _build_silent_store(context, alarms, now), checks)
        if results is not None:
            record_diagnostics(conn, [alarm.id for alarm in alarms], results, now)


def _describe_results(conn: Connection, silent: SilentStore, checks: Sequence[DiagnosticCheck]) -> list[str] | None:
    results = [(check.name, check.describe(conn, silent)) for check in checks]
    if any(result is None for _, result in results) and silent.now < silent.alarm_opened_at + DIAGNOSIS_TIMEOUT_US:
        return None
    return [result or f"No result from {name} within ten minutes." for name, result in results]


def _group_key(alarm: AlarmRow) -> tuple[int, int]:
    """Alarms of one store that were opened together are diagnosed together."""
    return alarm.store_id or 0, alarm.since


def _build_silent_store(context: Context, alarms: Sequence[AlarmRow], now: int) -> SilentStore:
    first = alarms[0]
    last_hook_at = min(alarm.last_at or 0 for alarm in alarms)
    return SilentStore(
        first.store_id or 0,
        first.store or "",
        last_hook_at,
        first.since,
        now,
        context,
    )
