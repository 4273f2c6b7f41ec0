"""What is tried before anybody is alarmed about a silence. Each attempt tells its result in a sentence.

Whoever can find out more about a silence adds a row to `ATTEMPTS`. An attempt begins in the transaction that opens the
alarm, and is asked again and again for its sentence: it never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.monitoring.canaries import list_newest_canaries, request_canary
from pipeline.ledger.observed_events import MISSED
from pipeline.ledger.queries import assess_chain, find_last_heartbeat
from pipeline.ledger.reconciliations import collect_errors, load_reconciliations, request_pass
from pipeline.ledger.schema.core import DeadHook
from pipeline.ledger.schema.reconciliation import ObservedEvent as Shown
from pipeline.ledger.store_apis import ACTIVE, find_store_api, request_hook_audit
from pipeline.monitoring.canary_status import find_fault, is_settled

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class SilentStore:
    """A store that is silent."""

    store_id: int
    store: str
    last_at: int  # the last hook that was heard
    since: int  # when the alarm was opened
    now: int
    context: Context


@dataclass(frozen=True, slots=True)
class DiagnosticCheck:
    """`says`: the result in a sentence; None: there is none yet."""

    name: str
    says: Callable[[Connection, SilentStore], str | None]
    begin: Callable[[Connection, SilentStore], None] | None = None


def _start_audit(conn: Connection, silent: SilentStore) -> None:
    if find_store_api(conn, silent.store_id):
        request_hook_audit(conn, silent.store_id, silent.now)


def _describe_audit(conn: Connection, silent: SilentStore) -> str | None:
    """`registration.tend` looks, and mends what is ours, within its own lease and the store's budget."""
    api = find_store_api(conn, silent.store_id)
    if api is None:
        return "Nobody looked at the hooks registered at Cratejoy: the keys of its API are not known here."
    if api.status != ACTIVE or api.audit_error:
        return f"The hooks registered at Cratejoy could not be looked at: {api.status_reason or api.audit_error}."
    findings = list_findings(conn, silent.store_id)
    if (api.audited_at or 0) < silent.since or any(one.is_fixable for one in findings):
        return None
    mended = [one for one in findings if (one.mended_at or 0) >= silent.since]
    left = [one for one in findings if one.mended_at is None and one.remedy]
    if left:
        return f"Of the hooks registered at Cratejoy {len(left)} could not be mended."
    if mended:
        kinds = ", ".join(sorted({FINDING_TEXTS[one.kind] for one in mended}))
        return f"Of the hooks registered at Cratejoy {len(mended)} were at fault, and were mended: {kinds}."
    return "The hooks registered at Cratejoy are as they should be."


def _start_canary(conn: Connection, silent: SilentStore) -> None:
    if silent.context.settings.canary_seconds:
        request_canary(conn, silent.store_id, silent.context.make_nonce(), silent.now)


def _describe_canary(conn: Connection, silent: SilentStore) -> str | None:
    if not silent.context.settings.canary_seconds:
        return "No hook of our own was sent to the public address: CRATEWIRE_CANARY_SECONDS is 0."
    ours = [one for one in list_newest_canaries(conn, 5, silent.store_id) if one.wanted_at >= silent.since]
    settled = [one for one in ours if is_settled(one, silent.now)]
    if not settled:
        return None
    last = settled[0]
    if last.arrived_at is not None:
        took = (last.arrived_at - (last.sent_at or last.arrived_at)) / SECOND_US
        return f"A hook of our own, sent to the store's public address, was in the ledger {took:.1f} s later."
    fault = find_fault(last, silent.now) or "nobody noted its answer"
    return f"A hook of our own, sent to the store's public address, did not come back: {fault}."


def _start_comparison(conn: Connection, silent: SilentStore) -> None:
    if load_reconciliations(conn, silent.store_id):
        request_pass(conn, silent.store_id, silent.now)


def _describe_comparison(conn: Connection, silent: SilentStore) -> str | None:
    """`reconciliation` looks up what the store did meanwhile, and makes up for it."""
    rows = load_reconciliations(conn, silent.store_id)
    if not rows:
        return "What the store did meanwhile was not looked up: the keys of its API are not known here."
    errors = collect_errors(rows)
    if errors:
        return f"What the store did meanwhile could not be looked up: {', '.join(sorted(set(errors.values())))}."
    if any((row.done_at or 0) < silent.since for row in rows):
        return None
    since = Shown.store_id == silent.store_id, Shown.state == MISSED, Shown.seen_at > silent.last_at
    missed = conn.execute(select(func.count()).select_from(Shown).where(*since)).scalar_one()
    if not missed:
        return "Cratejoy's API shows nothing that a hook should have told of since then: the store may be quiet."
    return f"Cratejoy's API shows {missed} happenings since then that no hook told of. They were made up for."


def _describe_chain(conn: Connection, silent: SilentStore) -> str:
    chain = assess_chain(find_last_heartbeat(conn), None, silent.now, silent.context.settings.heartbeat_seconds)
    if chain.alive is None:
        return "Whether hooks become events was not looked at: CRATEWIRE_HEARTBEAT_SECONDS is 0."
    return "Hooks that arrive become events." if chain.alive else "Hooks that arrive do not become events now."


def _describe_dead_hooks(conn: Connection, silent: SilentStore) -> str:
    since = DeadHook.store == silent.store, DeadHook.replayed_at.is_(None), DeadHook.died_at > silent.last_at
    count = conn.execute(select(func.count()).select_from(DeadHook).where(*since)).scalar_one()
    if not count:
        return "No hook has come that could not be read."
    return f"{pluralize(count, 'hook')} came and could not go on: see the dead hooks."


DIAGNOSTIC_CHECKS = (
    DiagnosticCheck("the hooks registered at Cratejoy", _describe_audit, _start_audit),
    DiagnosticCheck("a hook of our own", _describe_canary, _start_canary),
    DiagnosticCheck("looking up what the store did meanwhile", _describe_comparison, _start_comparison),
    DiagnosticCheck("the chain", _describe_chain),
    DiagnosticCheck("dead hooks", _describe_dead_hooks),
)
