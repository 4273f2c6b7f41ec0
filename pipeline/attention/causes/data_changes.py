"""What a store sends has changed: how often an event comes, or the keys of its bodies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.data_changes import RATE_DROP, RATE_KINDS, DataChangeRow, list_open_changes
from pipeline.ledger.monitoring.rows import MERCHANT
from pipeline.monitoring.messages import format_time

RATE, KEYS = "event_rate_changed", "event_keys_changed"
MAX_KEYS = 5  # in a sentence
_RATE_EFFECT = (
    "Every hook that came has become an event. Look in the shop whether it sells less, or whether Cratejoy leaves out "
    "hooks: what its API shows of them is recovered by itself."
)
_SURGE_EFFECT = (
    "Every hook that came has become an event. Look in the shop whether it sells more, or whether the same thing is "
    "reported again and again."
)
_RATE_TO_DO = (
    "Compare with the shop: `cratewire reconcile report --store {store}`. If it is right, take it as usual on the page."
)
_KEYS_EFFECT = (
    "Events go on, and all bodies are kept. A key that is missing or has another type may be missing in what the "
    "platforms get."
)
_KEYS_TO_DO = "See the first example: `cratewire events show {event}`. If it is right, take it as usual on the page."


def _find_rates(context: Context) -> Iterator[AttentionItem]:
    for row in _load(context):
        if row.kind in RATE_KINDS:
            yield _build_rate_item(row)


def _find_keys(context: Context) -> Iterator[AttentionItem]:
    rows = [row for row in _load(context) if row.kind not in RATE_KINDS]
    for _, group in groupby(rows, key=lambda row: (row.store, row.event)):
        yield _build_keys_item(list(group))


def _load(context: Context) -> list[DataChangeRow]:
    with reading(context.engine) as conn:
        return list_open_changes(conn)


def _build_rate_item(row: DataChangeRow) -> AttentionItem:
    is_drop = row.kind == RATE_DROP
    what = "comes less often than usual" if is_drop else "comes more often than usual"
    return AttentionItem(
        RATE,
        f"{row.store}/{row.event}/{row.kind}",
        MERCHANT,
        f"{row.store}: {row.event} {what}: {row.now} since {format_time(row.since)}, where {row.was} are usual",
        _RATE_EFFECT if is_drop else _SURGE_EFFECT,
        _RATE_TO_DO.format(store=row.store),
        row.since,
        row.store,
        row.store_id,
        reason=row.kind,
        facts={"event_name": row.event},
    )


def _build_keys_item(rows: Sequence[DataChangeRow]) -> AttentionItem:
    first = min(rows, key=lambda row: (row.found_at, row.event_id or 0))
    shown = [_describe_key(row) for row in rows[:MAX_KEYS]]
    more = [f"and {pluralize(len(rows) - MAX_KEYS, 'further key')}"] if len(rows) > MAX_KEYS else []
    return AttentionItem(
        KEYS,
        f"{first.store}/{first.event}",
        MERCHANT,
        f"{first.store}: the data of {first.event} has changed: {', '.join([*shown, *more])}",
        _KEYS_EFFECT,
        _KEYS_TO_DO.format(event=first.event_id),
        min(row.since for row in rows),
        first.store,
        first.store_id,
        reason=first.kind,
        facts={"event_name": first.event, "event": str(first.event_id)},
        worse_at=max(row.found_at for row in rows),
    )


def _describe_key(row: DataChangeRow) -> str:
    if row.kind == "new_key":
        return f"{row.key} is new ({row.now})"
    if row.kind == "vanished_key":
        return f"{row.key} is missing"
    return f"{row.key} is {row.now}, was {row.was}"


RATE_CAUSE, KEYS_CAUSE = Cause(RATE, _find_rates), Cause(KEYS, _find_keys)
