"""Hooks that could not become events, and whether the store's API shows that events are missing because of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.hooks import INTERNAL_ERROR, UNREADABLE_TEXTS
from pipeline.core.plural import pluralize
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT, OPERATOR
from pipeline.ledger.observation import DEAD
from pipeline.ledger.reconciliations import load_reconciliations
from pipeline.ledger.schema.core import DeadHook
from pipeline.ledger.schema.reconciliation import ObservedEvent
from pipeline.ledger.stores import find_store

NAME = "hooks_unreadable"
MAX_AGE_US = 7 * 86_400_000_000  # older hooks are only in `cratewire dead list`
COMPARISON_TIMEOUT_US = 3_600_000_000  # by then the store's API has been compared, or the item says that it has not
_OTHER_RELEASE = (
    "Those of `internal_error` are tried again by themselves once another release runs: install the version before, or "
    "one in which it is fixed. "
)
_TO_DO = (
    "`cratewire dead list` names them, docs/operations.md says what each reason means; then `cratewire dead replay`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    is_recent = DeadHook.replayed_at.is_(None), DeadHook.died_at >= now - MAX_AGE_US
    columns = (DeadHook.store, DeadHook.reason, func.count(), func.min(DeadHook.died_at), func.max(DeadHook.died_at))
    query = select(*columns).where(*is_recent).group_by(DeadHook.store, DeadHook.reason)
    with reading(context.engine) as conn:
        stores: dict[str, list[Any]] = defaultdict(list)
        for store, *rest in conn.execute(query.order_by(DeadHook.store, DeadHook.reason)):
            stores[store].append(rest)
        for store, rows in stores.items():
            if item := _build_item(conn, store, rows, now):
                yield item


def _build_item(conn: Connection, store: str, rows: list[Any], now: int) -> AttentionItem | None:
    reasons = Counter({reason: count for reason, count, _, _ in rows})
    first, last = min(row[2] for row in rows), max(row[3] for row in rows)
    known = find_store(conn, store)
    compared, missing = _compare_with_api(conn, known.id if known else 0, last)
    if compared and not missing and INTERNAL_ERROR not in reasons:
        return None
    if compared:
        shown = f"The store's API shows {pluralize(missing, 'event')} whose hook is among them."
    else:
        shown = (
            "Whether anything real is missing is not known yet."
            if now < last + COMPARISON_TIMEOUT_US
            else ("Whether anything real is missing is not known: the store's API has not been searched since.")
        )
    return AttentionItem(
        NAME,
        store,
        OPERATOR if INTERNAL_ERROR in reasons or known is None else MERCHANT,
        f"{store}: {pluralize(reasons.total(), 'hook')} could not be read: {_format_reasons(reasons)}",
        f"They are kept and are no events. {shown}",
        _OTHER_RELEASE + _TO_DO if INTERNAL_ERROR in reasons else _TO_DO,
        first,
        store if known else None,
        known.id if known else None,
        reason=next(iter(reasons)),
        worse_at=last,
        is_final=compared
        or INTERNAL_ERROR in reasons
        or now >= last + COMPARISON_TIMEOUT_US
        or not (known and load_reconciliations(conn, known.id)),
    )


def _format_reasons(reasons: Counter[str]) -> str:
    """Why they could not be read, the most frequent reason first: `cut short (12), not text (6)`."""
    return ", ".join(
        f"{UNREADABLE_TEXTS.get(reason, reason.replace('_', ' '))} ({count})" for reason, count in reasons.most_common()
    )


def _compare_with_api(conn: Connection, store_id: int, last: int) -> tuple[bool, int]:
    """Whether the store's API has been compared since the last of them died, and how many of its events they are."""
    rows = load_reconciliations(conn, store_id)
    if not rows or any((row.done_at or 0) < last for row in rows):
        return False, 0
    dead = ObservedEvent.store_id == store_id, ObservedEvent.state == DEAD
    return True, conn.execute(select(func.count()).select_from(ObservedEvent).where(*dead)).scalar_one()


CAUSE = Cause(NAME, _find_items)
