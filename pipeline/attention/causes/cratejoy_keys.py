"""Cratejoy refuses a store's keys: hooks are not looked after, and nothing that was missed is looked up."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import MERCHANT
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.store_apis import REFUSED

NAME = "cratejoy_keys_refused"
_EFFECT = (
    "Hooks that are registered go on. Whether they still are cannot be looked at, and what no hook told is not found."
)
_TO_DO = (
    "In Cratejoy, Settings → API, generate a key, and connect {store} again with it: on the store's page, or with "
    "`cratewire connect --store {store}`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    columns = (Store.id, Store.name, StoreAPI.status_reason, StoreAPI.checked_at)
    query = select(*columns).join(Store, Store.id == StoreAPI.store_id).where(StoreAPI.status == REFUSED)
    with reading(context.engine) as db:
        for row in db.execute(query.order_by(Store.name)):
            yield AttentionItem(
                NAME,
                row.name,
                MERCHANT,
                f"{row.name}: Cratejoy refuses the keys",
                _EFFECT,
                _TO_DO.format(store=row.name),
                row.checked_at,
                row.name,
                row.id,
                (f"{row.status_reason}. The keys are tried again by themselves.",),
                row.status_reason,
            )


CAUSE = Cause(NAME, _find_items)
