"""A platform has accepted nothing for minutes although messages wait: it is down, or answers with server errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, exists, select

from pipeline.attention.connection_backlog import format_platform_title, load_backlog, summarize_cleared_backlog
from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.ledger.connections import format_connection_path
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT, OPERATOR
from pipeline.ledger.schema.core import Delivery, Lane, Store, StoreConnection

NAME = "platform_takes_nothing"
MIN_DURATION_US = 180_000_000  # so that the mail about it leaves within five minutes
_OUR_FAULTS = ("our own fault", "CRATEWIRE_SECRET_KEY", "unusable URL")
_TO_DO = {
    MERCHANT: (
        "See whether {title} reports trouble. If it does not, see whether this machine reaches it: `cratewire doctor`."
    ),
    OPERATOR: 'Look at the worker\'s log, and at docs/operations.md under "What a lane waits for".',
}


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    with reading(context.engine) as conn:
        for connection_id, lanes in _find_failing_lanes(conn, now - MIN_DURATION_US).items():
            yield _build_item(conn, connection_id, lanes)


def _find_failing_lanes(conn: Connection, since: int) -> dict[int, list[Any]]:
    """Lanes of active connections that have messages to send, and in which all attempts since then have failed."""
    has_open_deliveries = exists().where(Delivery.connection_id == Lane.connection_id, Delivery.lane == Lane.lane, OPEN)
    columns = (
        Lane.connection_id,
        Lane.failing_since,
        Lane.attempts,
        Lane.reason,
        StoreConnection.platform,
        StoreConnection.label,
    )
    query = (
        select(*columns, Store.id.label("store_id"), Store.name.label("store"))
        .join(StoreConnection, StoreConnection.id == Lane.connection_id)
        .join(Store, Store.id == StoreConnection.store_id)
        .where(Lane.failing_since <= since, StoreConnection.status == "active", has_open_deliveries)
        .order_by(Lane.connection_id, Lane.failing_since)
    )
    lanes: dict[int, list[Any]] = defaultdict(list)
    for row in conn.execute(query):
        lanes[row.connection_id].append(row)
    return lanes


def _build_item(conn: Connection, connection_id: int, lanes: Sequence[Any]) -> AttentionItem:
    first, title = lanes[0], format_platform_title(lanes[0].platform, lanes[0].label)
    waiting = load_backlog(conn, connection_id)
    audience = OPERATOR if str(first.reason).startswith(_OUR_FAULTS) else MERCHANT
    attempts = sum(lane.attempts for lane in lanes)
    return AttentionItem(
        NAME,
        format_connection_path(first.store, first.platform, first.label),
        audience,
        f"{first.store}: {title} takes nothing ({first.reason})",
        f"{waiting}. Nothing is lost: everything is kept, and leaves in order when {title} takes it.",
        _TO_DO[audience].format(title=title),
        first.failing_since,
        first.store,
        first.store_id,
        (f"{pluralize(attempts, 'attempt')} so far; the last one: {first.reason}. Cratewire tries again by itself.",),
        first.reason,
        facts=waiting.facts(connection_id),
    )


CAUSE = Cause(NAME, _find_items, summarize_cleared_backlog)
