"""A platform has refused a connection: its keys, its region or its address. Nothing is sent until that is fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.attention.connection_backlog import format_platform_title, load_backlog, summarize_cleared_backlog
from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.infra import redis_keys
from pipeline.ledger.connections import format_connection_path, list_all_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT
from pipeline.ledger.stores import get_store
from pipeline.monitoring.messages import format_time
from pipeline.operations.pause import is_paused_by_platform

NAME = "platform_keys_refused"
_TO_DO = (
    "Connect {store} to {title} again with keys that it takes: on the store's page, or with `cratewire connect "
    "{which}`. If the saved keys are good again: `cratewire connections resume {which}`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    with reading(context.engine) as conn:
        for connection in list_all_connections(conn):
            store = get_store(conn, connection.store_id)
            if store is None or connection.status == "active" or not is_paused_by_platform(connection.status_reason):
                continue
            title, waiting = (
                format_platform_title(connection.platform, connection.label),
                load_backlog(conn, connection.id),
            )
            yield AttentionItem(
                NAME,
                format_connection_path(store.name, connection.platform, connection.label),
                MERCHANT,
                f"{store.name}: nothing reaches {title} ({_format_reason(connection.status_reason)})",
                f"{waiting}. Nothing is lost: everything is kept, and leaves in order once {title} takes the keys.",
                _TO_DO.format(store=store.name, title=title, which=_build_options(store.name, connection.label)),
                connection.status_at,
                store.name,
                store.id,
                tried=_describe_retries(context, connection.id),
                reason=connection.status_reason,
                facts=waiting.facts(connection.id),
                worse_at=connection.status_at,
            )


def _format_reason(reason: str | None) -> str:
    """The reason inside parentheses, without parentheses of its own: `the credentials were refused, 401`."""
    return (reason or "paused").replace(" (", ", ").rstrip(")")


def _build_options(store: str, label: str) -> str:
    return f"--store {store} --label {label}" if label else f"--store {store}"


def _describe_retries(context: Context, connection_id: int) -> tuple[str, ...]:
    last: Any = context.redis.get(redis_keys.credential_retry(connection_id))
    if last is None:
        return ()
    return (f"The saved keys are tried again every five minutes, last at {format_time(int(last))}.",)


CAUSE = Cause(NAME, _find_items, summarize_cleared_backlog)
