"""What is tried before anybody is alarmed about a silence. Each attempt tells its result in a sentence.

Whoever can find out more about a silence adds a row to `ATTEMPTS`. An attempt begins in the transaction that opens the
alarm, and is asked again and again for its sentence: it never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.ledger.hook_findings import findings_of
from pipeline.ledger.reading import judge, last_arrival
from pipeline.ledger.reconciliation_tables import ShownHappening as Shown
from pipeline.ledger.reconciliations import ask_for_pass, errors_of, rows_of
from pipeline.ledger.shown import MISSED
from pipeline.ledger.silence.canaries import ask_for_canary, last_canaries
from pipeline.ledger.store_apis import ACTIVE, ask_for_audit, find_api
from pipeline.ledger.tables import DeadHook
from pipeline.plural import counted
from pipeline.registration.comparing import KINDS
from pipeline.silence.proof import fault_of, is_settled

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """A store that is silent."""

    store_id: int
    store: str
    last_at: int  # the last hook that was heard
    since: int  # when the alarm was opened
    now: int
    heartbeat_seconds: float
    canary_seconds: float
    nonce: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """`says`: the result in a sentence; None: there is none yet."""

    name: str
    says: Callable[[Connection, Case], str | None]
    begin: Callable[[Connection, Case], None] | None = None


def _audit_begins(db: Connection, case: Case) -> None:
    if find_api(db, case.store_id):
        ask_for_audit(db, case.store_id, case.now)


def _audit_says(db: Connection, case: Case) -> str | None:
    """`registration.tend` looks, and mends what is ours, within its own lease and the store's budget."""
    api = find_api(db, case.store_id)
    if api is None:
        return "Nobody looked at the hooks registered at Cratejoy: the keys of its API are not known here."
    if api.status != ACTIVE or api.audit_error:
        return f"The hooks registered at Cratejoy could not be looked at: {api.status_reason or api.audit_error}."
    findings = findings_of(db, case.store_id)
    if (api.audited_at or 0) < case.since or any(one.can_be_mended for one in findings):
        return None
    mended = [one for one in findings if (one.mended_at or 0) >= case.since]
    left = [one for one in findings if one.mended_at is None and one.remedy]
    if left:
        return f"Of the hooks registered at Cratejoy {len(left)} could not be mended."
    if mended:
        kinds = ", ".join(sorted({KINDS[one.kind] for one in mended}))
        return f"Of the hooks registered at Cratejoy {len(mended)} were at fault, and were mended: {kinds}."
    return "The hooks registered at Cratejoy are as they should be."


def _canary_begins(db: Connection, case: Case) -> None:
    if case.canary_seconds:
        ask_for_canary(db, case.store_id, case.nonce(), case.now)


def _canary_says(db: Connection, case: Case) -> str | None:
    if not case.canary_seconds:
        return "No hook of our own was sent to the public address: CRATEWIRE_CANARY_SECONDS is 0."
    ours = [one for one in last_canaries(db, 5, case.store_id) if one.wanted_at >= case.since]
    settled = [one for one in ours if is_settled(one, case.now)]
    if not settled:
        return None
    last = settled[0]
    if last.arrived_at is not None:
        took = (last.arrived_at - (last.sent_at or last.arrived_at)) / SECOND
        return f"A hook of our own, sent to the store's public address, was in the ledger {took:.1f} s later."
    fault = fault_of(last, case.now) or "nobody noted its answer"
    return f"A hook of our own, sent to the store's public address, did not come back: {fault}."


def _comparison_begins(db: Connection, case: Case) -> None:
    if rows_of(db, case.store_id):
        ask_for_pass(db, case.store_id, case.now)


def _comparison_says(db: Connection, case: Case) -> str | None:
    """`reconciliation` looks up what the store did meanwhile, and makes up for it."""
    rows = rows_of(db, case.store_id)
    if not rows:
        return "What the store did meanwhile was not looked up: the keys of its API are not known here."
    errors = errors_of(rows)
    if errors:
        return f"What the store did meanwhile could not be looked up: {', '.join(sorted(set(errors.values())))}."
    if any((row.done_at or 0) < case.since for row in rows):
        return None
    since = Shown.store_id == case.store_id, Shown.state == MISSED, Shown.seen_at > case.last_at
    missed = db.execute(select(func.count()).select_from(Shown).where(*since)).scalar_one()
    if not missed:
        return "Cratejoy's API shows nothing that a hook should have told of since then: the store may be quiet."
    return f"Cratejoy's API shows {missed} happenings since then that no hook told of. They were made up for."


def _chain_says(db: Connection, case: Case) -> str:
    chain = judge(last_arrival(db), None, case.now, case.heartbeat_seconds)
    if chain.alive is None:
        return "Whether hooks become events was not looked at: CRATEWIRE_HEARTBEAT_SECONDS is 0."
    return "Hooks that arrive become events." if chain.alive else "Hooks that arrive do not become events now."


def _dead_hooks_say(db: Connection, case: Case) -> str:
    since = DeadHook.store == case.store, DeadHook.replayed_at.is_(None), DeadHook.died_at > case.last_at
    count = db.execute(select(func.count()).select_from(DeadHook).where(*since)).scalar_one()
    if not count:
        return "No hook has come that could not be read."
    return f"{counted(count, 'hook')} came and could not go on: see the dead hooks."


ATTEMPTS = (
    Attempt("the hooks registered at Cratejoy", _audit_says, _audit_begins),
    Attempt("a hook of our own", _canary_says, _canary_begins),
    Attempt("looking up what the store did meanwhile", _comparison_says, _comparison_begins),
    Attempt("the chain", _chain_says),
    Attempt("dead hooks", _dead_hooks_say),
)
