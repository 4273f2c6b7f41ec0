"""Hooks that are not registered at Cratejoy as they should be: deleted, switched off, or refused when we mend them.

A hook that was deleted is registered again by itself within minutes. What the store did meanwhile no hook has told, and
what deleted it may do so again: it stays in the list until a later look has found the hook still there, and the store's
API has been searched for what was missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.hook_registration.diff import FINDING_TEXTS
from pipeline.ledger.engine import reading
from pipeline.ledger.hook_findings import FindingRow, list_findings
from pipeline.ledger.monitoring.activity import load_active_hours
from pipeline.ledger.monitoring.alarms import MERCHANT, OPERATOR
from pipeline.ledger.reconciliations import load_reconciliations
from pipeline.ledger.store_apis import StoreAPIRow, find_store_api, list_stores_with_api
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.monitoring.messages import format_time

NAME = "hooks_not_registered"
VERIFICATION_TIMEOUT_US = (
    1_800_000_000  # by then a hook that was mended is believed, even if the store's API could not be searched
)
_LOST_KINDS = {"missing", "disabled"}  # nothing arrives of such an event
_HARMLESS_KINDS = {"foreign", "unknown_event"}
_DELETED_TO_DO = (
    "Look in Cratejoy, or ask your agency, who deletes or switches off hooks there: it may happen again. If it goes "
    "on: `cratewire hooks audit --store {store}`."
)
_REFUSED_TO_DO = (
    "`cratewire hooks audit --store {store}` shows each; register them by hand in Cratejoy, or ask its support."
)
_UNREACHABLE_TO_DO = (
    "Set CRATEWIRE_PUBLIC_URL to an address that Cratejoy can reach, then `cratewire hooks sync --store {store}`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    with reading(context.engine) as db:
        for store_id in list_stores_with_api(db):
            api, store = find_store_api(db, store_id), get_store(db, store_id)
            if api is not None and store is not None and api.registers:
                yield from _find_store_items(db, store, api, now)


def _find_store_items(db: Connection, store: StoreRow, api: StoreAPIRow, now: int) -> Iterator[AttentionItem]:
    findings = [one for one in list_findings(db, store.id) if one.kind not in _HARMLESS_KINDS]
    lost = [one for one in findings if one.kind in _LOST_KINDS and _was_registered(db, store.id, one, findings)]
    lost = [one for one in lost if not _is_verified(db, api, one, now)]
    if lost:
        yield _build_deleted_item(store, lost)
    refused = [one for one in findings if one.mended_at is None and one.failure and one not in lost]
    if refused:
        yield _build_refused_item(store, refused)
    unreachable = [one for one in findings if one.mended_at is None and one.kind == "unreachable"]
    if unreachable:
        effect = "Its hooks cannot be registered, so nothing of what it sells arrives."
        headline = f"{store.name}: {FINDING_TEXTS['unreachable'].partition(':')[0]}"
        to_do = _UNREACHABLE_TO_DO.format(store=store.name)
        since = unreachable[0].found_at
        yield AttentionItem(
            NAME, f"{store.name}/unreachable", OPERATOR, headline, effect, to_do, since, store.name, store.id
        )


def _was_registered(db: Connection, store_id: int, finding: FindingRow, findings: Sequence[FindingRow]) -> bool:
    """Whether this event's hook had been registered before: we had registered it ourselves, or it had told something.

    What is missing when a store has just been connected, or has had its hooks removed, was deleted by none.
    """
    if finding.kind == "disabled":
        return True
    removed = [one.mended_at or 0 for one in findings if one.kind == "unwanted" and one.mended_at]
    since = max((at for at in removed if at <= finding.found_at), default=0)
    made = (one for one in findings if one.event == finding.event and one.id != finding.id)
    if any(since < (one.mended_at or 0) <= finding.found_at for one in made):
        return True
    heard = load_active_hours(db, store_id, since).get(finding.event or "", ())
    return any(one.last_at > since and one.first_at <= finding.found_at for one in heard)


def _is_verified(db: Connection, api: StoreAPIRow, finding: FindingRow, now: int) -> bool:
    """Whether the hook has been seen again since it was mended, and what was missed has been looked up."""
    mended = finding.mended_at
    if mended is None:
        return False
    compared = all((row.done_at or 0) > mended for row in load_reconciliations(db, api.store_id))
    return mended < now - VERIFICATION_TIMEOUT_US or ((api.audited_at or 0) > mended and compared)


def _build_deleted_item(store: StoreRow, lost: Sequence[FindingRow]) -> AttentionItem:
    names = sorted({one.event or "" for one in lost})
    events, is_one = ", ".join(names), len(names) == 1
    verb = "was deleted or switched off" if is_one else "were deleted or switched off"
    tried = [f"{one.event} was registered again at {format_time(one.mended_at)}." for one in lost if one.mended_at]
    tried += [f"{one.event} could not be registered again: {one.failure}." for one in lost if one.failure]
    tried += [f"{one.event} is being registered again." for one in lost if not (one.failure or one.mended_at)]
    return AttentionItem(
        NAME,
        f"{store.name}/deleted",
        MERCHANT,
        f"{store.name}: at Cratejoy the {'hook' if is_one else 'hooks'} {events} {verb}",
        "What happened in the shop until it was registered again no hook has told; the store's API is searched for it.",
        _DELETED_TO_DO.format(store=store.name),
        min(one.found_at for one in lost),
        store.name,
        store.id,
        tuple(tried),
        events,
        is_final=all(one.mended_at or one.failure for one in lost),
    )


def _build_refused_item(store: StoreRow, refused: Sequence[FindingRow]) -> AttentionItem:
    names = ", ".join(sorted({one.event or str(one.hook_id) for one in refused}))
    return AttentionItem(
        NAME,
        f"{store.name}/refused",
        MERCHANT,
        f"{store.name}: Cratejoy refuses to mend {pluralize(len(refused), 'hook')} ({names})",
        "What these hooks should tell may not arrive; the store's API is searched for it once an hour.",
        _REFUSED_TO_DO.format(store=store.name),
        min(one.found_at for one in refused),
        store.name,
        store.id,
        tuple(sorted({f"{FINDING_TEXTS[one.kind]}; answer: {one.failure}." for one in refused})),
        names,
    )


CAUSE = Cause(NAME, _find_items)
