"""Values of `source` of which no one has said whether they mean Marketplace."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT
from pipeline.ledger.sources import UnansweredSources, list_unanswered_sources

NAME = "marketplace_unanswered"
_EFFECT = (
    "Cratejoy does not document which orders come from its Marketplace, whose customers may not be forwarded without "
    "their consent. Until it is answered, nothing is sent about people who are known only from such orders."
)
_TO_DO = (
    "Look up an order of each value in Cratejoy, then answer under Settings on the store's page, or with `cratewire "
    "stores set {store} --marketplace-source VALUE --storefront-source VALUE`; `cratewire stores show {store}` has "
    "examples."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    with reading(context.engine) as conn:
        found = list_unanswered_sources(conn)
    for row in found:
        yield _build_item(row)


def _build_item(row: UnansweredSources) -> AttentionItem:
    values = ", ".join(row.values)
    says = "which orders come from the Marketplace is not answered" if row.is_first else "orders have new origins"
    return AttentionItem(
        NAME,
        row.store,
        MERCHANT,
        f"{row.store}: {says} (source {values})",
        _EFFECT,
        _TO_DO.format(store=row.store),
        row.met_at,
        row.store,
        row.store_id,
        reason=values,
        worse_at=row.newest_met_at,
    )


CAUSE = Cause(NAME, _find_items)
