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
MAX_REASONS = 3  # in a sentence
_REFUSED = "refused"  # the reason of a message whose refusal is explained by the platform alone
_TO_DO = (
    "The platform's own words are beside each message, on its page and in `cratewire dead show`. Repair what they "
    "name, then try the messages again: `cratewire dead replay`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    """By reason: a platform's own words may quote what the message said, so they are in no alarm, notice or mail."""
    now = context.now()
    reason = func.coalesce(Delivery.reason, _REFUSED)
    counts = select(Delivery.connection_id, reason.label("reason"), func.count().label("messages"))
    counts = counts.add_columns(
        func.min(Delivery.done_at).label("first_at"), func.max(Delivery.done_at).label("last_at")
    )
    dead = counts.where(DEAD, Delivery.done_at >= now - MAX_AGE_US).group_by(Delivery.connection_id, reason).subquery()
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
    total = sum(row.messages for row in rows)
    verb = "was" if total == 1 else "were"
    return AttentionItem(
        NAME,
        format_connection_path(first.store, first.platform, first.label),
        MERCHANT,
        f"{first.store}: {pluralize(total, 'message')} {verb} refused by {title}: {_format_reasons(rows)}",
        "They are kept and do not arrive; the people they are about hear nothing of it. All other messages go on.",
        _TO_DO,
        min(row.first_at for row in rows),
        first.store,
        first.store_id,
        reason=first.reason,
        worse_at=max(row.last_at for row in rows),
    )


def _format_reasons(rows: Sequence[Any]) -> str:
    """The most frequent reasons, each with its count: `too large (9), email too long (3)`."""
    shown = [f"{_name_reason(row.reason)} ({row.messages})" for row in rows[:MAX_REASONS]]
    others = sum(row.messages for row in rows[MAX_REASONS:])
    return ", ".join([*shown, *([f"others ({others})"] if others else [])])


def _name_reason(reason: str) -> str:
    return "something in them is not accepted" if reason == _REFUSED else reason.replace("_", " ")


CAUSE = Cause(NAME, _find_items)
