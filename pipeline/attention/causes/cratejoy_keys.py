"""The keys of a store's API: Cratejoy refuses them, or two stores have the same."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.cratejoy.shared_keys import find_shared_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT, OPERATOR
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.store_apis import REFUSED

REFUSED_KEYS, SHARED_KEYS = "cratejoy_keys_refused", "cratejoy_keys_shared"
_REFUSED_EFFECT = (
    "Hooks that are registered go on. Whether they still are cannot be checked, and missing events are not found."
)
_REFUSED_TO_DO = (
    "In Cratejoy, Settings → API, generate a key, and connect {store} again with it: on the store's page, or with "
    "`cratewire connect --store {store}`."
)
_SHARED_TO_DO = "Keep one of them; for each other one `cratewire hooks remove --store NAME --forget-keys`."


def _find_refused_keys(context: Context) -> Iterator[AttentionItem]:
    columns = (Store.id, Store.name, StoreAPI.status_reason, StoreAPI.checked_at)
    query = select(*columns).join(Store, Store.id == StoreAPI.store_id).where(StoreAPI.status == REFUSED)
    with reading(context.engine) as conn:
        for row in conn.execute(query.order_by(Store.name)):
            yield AttentionItem(
                REFUSED_KEYS,
                row.name,
                MERCHANT,
                f"{row.name}: Cratejoy refuses the keys",
                _REFUSED_EFFECT,
                _REFUSED_TO_DO.format(store=row.name),
                row.checked_at,
                row.name,
                row.id,
                (f"{row.status_reason}. The keys are tried again by themselves.",),
                row.status_reason,
            )


def _find_shared_keys(context: Context) -> Iterator[AttentionItem]:
    """Stores that were connected with the same keys before `connect` refused that."""
    with reading(context.engine) as conn:
        groups = find_shared_keys(conn, context.settings.secret_keys)
    for stores in groups:
        names = ", ".join(stores)
        headline = f"{names} have the same keys of Cratejoy"
        effect = "They are one store there: each hook and each customer comes twice."
        yield AttentionItem(SHARED_KEYS, names, OPERATOR, headline, effect, _SHARED_TO_DO, context.now())


REFUSED_CAUSE, SHARED_CAUSE = Cause(REFUSED_KEYS, _find_refused_keys), Cause(SHARED_KEYS, _find_shared_keys)
