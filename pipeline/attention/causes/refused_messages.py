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
MAX_REASON_CHARS = 60
_TO_DO = "Repair what each reason says, then try them again: `cratewire dead list`, `cratewire dead replay`."


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    said = func.coalesce(Delivery.detail, Delivery.reason, "refused")
    counts = select(Delivery.connection_id, said.label("said"), func.count().label("messages"))
    counts = counts.add_columns(
        func.min(Delivery.done_at).label("first_at"), func.max(Delivery.done_at).label("last_at")
    )
    dead = counts.where(DEAD, Delivery.done_at >= now - MAX_AGE_US).group_by(Delivery.connection_id, said).subquery()
    query = (
        select(
            dead, StoreConnection.platform, StoreConnection.label, Store.id.label("store_id"), Store.name.label("store")
        )
        .join(StoreConnection, StoreConnection.id == dead.c.connection_id)
        .join(Store, Store.id == StoreConnection.store_id)
        .order_by(dead.c.connection_id, dead.c.messages.desc(), dead.c.said)
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
        reason=_shorten(first.said),
        worse_at=max(row.last_at for row in rows),
    )


def _format_reasons(rows: Sequence[Any]) -> str:
    """The most frequent reasons, each with its count: `name is too long (9), email is invalid (3)`."""
    shown = [f"{_shorten(row.said)} ({row.messages})" for row in rows[:MAX_REASONS]]
    others = sum(row.messages for row in rows[MAX_REASONS:])
    return ", ".join([*shown, *([f"others ({others})"] if others else [])])


def _shorten(said: str) -> str:
    text = " ".join(said.replace("_", " ").split())
    return text if len(text) <= MAX_REASON_CHARS else f"{text[: MAX_REASON_CHARS - 1]}…"


CAUSE = Cause(NAME, _find_items)
