"""Messages that a platform has rejected for good: they are kept as dead letters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select

from pipeline.attention.connection_backlog import format_platform_title
from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.ledger.connections import format_connection_path
from pipeline.ledger.deliveries.status import DEAD
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT
from pipeline.ledger.schema.core import Delivery, Store, StoreConnection

NAME = "messages_refused"
MAX_AGE_US = 7 * 86_400_000_000  # older messages are only in `cratewire dead list`
_TO_DO = "`cratewire dead list` names them; repair what each reason says, then `cratewire dead replay`."


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    is_recent = DEAD, Delivery.done_at >= now - MAX_AGE_US
    counts = select(Delivery.connection_id, Delivery.reason, func.count().label("messages"))
    counts = counts.add_columns(func.min(Delivery.done_at).label("first_at")).where(*is_recent)
    dead = counts.group_by(Delivery.connection_id, Delivery.reason).subquery()
    query = (
        select(
            dead, StoreConnection.platform, StoreConnection.label, Store.id.label("store_id"), Store.name.label("store")
        )
        .join(StoreConnection, StoreConnection.id == dead.c.connection_id)
        .join(Store, Store.id == StoreConnection.store_id)
        .order_by(dead.c.connection_id, dead.c.messages.desc(), dead.c.reason)
    )
    by_connection: dict[int, list[Any]] = defaultdict(list)
    with reading(context.engine) as conn:
        for row in conn.execute(query):
            by_connection[row.connection_id].append(row)
    yield from map(_build_item, by_connection.values())


def _build_item(rows: Sequence[Any]) -> AttentionItem:
    first, title = rows[0], format_platform_title(rows[0].platform, rows[0].label)
    reasons = ", ".join(f"{row.messages} {row.reason}" for row in rows)
    return AttentionItem(
        NAME,
        format_connection_path(first.store, first.platform, first.label),
        MERCHANT,
        f"{first.store}: {title} refused {pluralize(sum(row.messages for row in rows), 'message')}",
        f"They are kept and do not arrive ({reasons}). All other messages go on.",
        _TO_DO,
        min(row.first_at for row in rows),
        first.store,
        first.store_id,
        reason=first.reason,
    )


CAUSE = Cause(NAME, _find_items)
