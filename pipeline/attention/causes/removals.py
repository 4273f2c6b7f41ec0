"""The removal of a store that waits because hooks of ours cannot be removed at Cratejoy."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT
from pipeline.ledger.removals import RemovalRow, list_open_removals

NAME = "removal_waiting"
_EFFECT = (
    "Nothing of it is deleted before its hooks at Cratejoy are removed, since they would go on to an address that no "
    "longer takes them. Until then the store can be kept."
)
_TO_DO = (
    "Try again; or, on the store's page under its removal, leave the hooks at Cratejoy, or keep the store. On the "
    "command line: `cratewire stores remove {store}`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    with reading(context.engine) as conn:
        found = list_open_removals(conn)
    for row in sorted(found, key=lambda row: row.store):
        if row.trouble is not None and not row.is_deleting:
            yield _build_item(row, row.trouble)


def _build_item(row: RemovalRow, trouble: str) -> AttentionItem:
    return AttentionItem(
        NAME,
        row.store,
        MERCHANT,
        f"{row.store}: its removal waits for Cratejoy",
        _EFFECT,
        _TO_DO.format(store=row.store),
        row.asked_at,
        row.store,
        row.store_id,
        (f"The hooks could not be removed: {trouble}. That is tried again every minute.",),
        trouble,
    )


CAUSE = Cause(NAME, _find_items)
