"""Hooks that are not registered at Cratejoy as they should be: deleted, disabled, or refused when we register them.

A deleted hook is registered again within minutes. The events of the time between have no hooks, and the hook may be
deleted again: the item stays until a later audit has found the hook still there, and the store's API has been searched
for the missing events.
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
from pipeline.ledger.monitoring.rows import MERCHANT, OPERATOR
from pipeline.ledger.reconciliations import load_reconciliations
from pipeline.ledger.store_apis import StoreAPIRow, find_store_api, list_stores_with_api
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.monitoring.messages import format_time

NAME = "hooks_not_registered"
VERIFICATION_TIMEOUT_US = (
    1_800_000_000  # then a hook that was registered again counts as verified, even if the API could not be searched
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
    with reading(context.engine) as conn:
        for store_id in list_stores_with_api(conn):
            api, store = find_store_api(conn, store_id), get_store(conn, store_id)
            if api is not None and store is not None and api.registers:
                yield from _find_store_items(conn, store, api, now)


def _find_store_items(conn: Connection, store: StoreRow, api: StoreAPIRow, now: int) -> Iterator[AttentionItem]:
    findings = [finding for finding in list_findings(conn, store.id) if finding.kind not in _HARMLESS_KINDS]
    lost = [row for row in findings if row.kind in _LOST_KINDS and _was_registered(conn, store.id, row, findings)]
    lost = [finding for finding in lost if not _is_verified(conn, api, finding, now)]
    if lost:
        yield _build_deleted_item(store, lost)
    refused = [row for row in findings if row.mended_at is None and row.failure and row not in lost]
    if refused:
        yield _build_refused_item(store, refused)
    unreachable = [row for row in findings if row.mended_at is None and row.kind == "unreachable"]
    if unreachable:
        effect = "Its hooks cannot be registered, so nothing of what it sells arrives."
        headline = f"{store.name}: {FINDING_TEXTS['unreachable'].partition(':')[0]}"
        to_do = _UNREACHABLE_TO_DO.format(store=store.name)
        since = unreachable[0].found_at
        yield AttentionItem(
            NAME, f"{store.name}/unreachable", OPERATOR, headline, effect, to_do, since, store.name, store.id
        )


def _was_registered(conn: Connection, store_id: int, finding: FindingRow, findings: Sequence[FindingRow]) -> bool:
    """Whether this event's hook was registered before: we had registered it, or a hook of the event had arrived.

    A hook that is missing because the store has just been connected, or its hooks were removed, was not deleted.
    """
    if finding.kind == "disabled":
        return True
    removed = [row.mended_at or 0 for row in findings if row.kind == "unwanted" and row.mended_at]
    since = max((at for at in removed if at <= finding.found_at), default=0)
    earlier = (row for row in findings if row.event == finding.event and row.id != finding.id)
    if any(since < (row.mended_at or 0) <= finding.found_at for row in earlier):
        return True
    hours = load_active_hours(conn, store_id, since).get(finding.event or "", ())
    return any(hour.last_at > since and hour.first_at <= finding.found_at for hour in hours)


def _is_verified(conn: Connection, api: StoreAPIRow, finding: FindingRow, now: int) -> bool:
    """Whether the hook was still there after it was fixed, and the missing events have been searched for."""
    fixed_at = finding.mended_at
    if fixed_at is None:
        return False
    is_compared = all((row.done_at or 0) > fixed_at for row in load_reconciliations(conn, api.store_id))
    return fixed_at < now - VERIFICATION_TIMEOUT_US or ((api.audited_at or 0) > fixed_at and is_compared)


def _build_deleted_item(store: StoreRow, lost: Sequence[FindingRow]) -> AttentionItem:
    names = sorted({row.event or "" for row in lost})
    events = ", ".join(names)
    tried = [f"{row.event} was registered again at {format_time(row.mended_at)}." for row in lost if row.mended_at]
    tried += [f"{row.event} could not be registered again: {row.failure}." for row in lost if row.failure]
    tried += [f"{row.event} is being registered again." for row in lost if not (row.failure or row.mended_at)]
    return AttentionItem(
        NAME,
        f"{store.name}/deleted",
        MERCHANT,
        f"{store.name}: Cratejoy no longer sends {events}",
        "The hook was deleted or switched off there. The store's API is searched for the events of the time between."
        if len(names) == 1
        else "The hooks were deleted or switched off there. The store's API is searched for the events of the time "
        "between.",
        _DELETED_TO_DO.format(store=store.name),
        min(row.found_at for row in lost),
        store.name,
        store.id,
        tuple(tried),
        events,
        worse_at=max(row.found_at for row in lost),
        is_final=all(row.mended_at or row.failure for row in lost),
    )


def _build_refused_item(store: StoreRow, refused: Sequence[FindingRow]) -> AttentionItem:
    names = ", ".join(sorted({row.event or str(row.hook_id) for row in refused}))
    return AttentionItem(
        NAME,
        f"{store.name}/refused",
        MERCHANT,
        f"{store.name}: Cratejoy refuses to change {pluralize(len(refused), 'hook')} ({names})",
        "The events of these hooks may not arrive; the store's API is searched for them once an hour.",
        _REFUSED_TO_DO.format(store=store.name),
        min(row.found_at for row in refused),
        store.name,
        store.id,
        tuple(sorted({f"{FINDING_TEXTS[row.kind]}; answer: {row.failure}." for row in refused})),
        names,
        worse_at=max(row.found_at for row in refused),
    )


CAUSE = Cause(NAME, _find_items)
