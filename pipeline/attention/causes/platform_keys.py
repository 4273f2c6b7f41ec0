"""A platform has refused a connection: its keys, its region or its address. Nothing leaves until that is mended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.attention.connection_backlog import format_platform_title, load_backlog, summarize_cleared_backlog
from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.infra import redis_keys
from pipeline.ledger.connections import format_connection_path, list_all_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import MERCHANT
from pipeline.ledger.stores import get_store
from pipeline.monitoring.messages import format_time
from pipeline.operations.pause import is_paused_by_platform

NAME = "platform_keys_refused"
_TO_DO = (
    "Connect {store} to {title} again with keys that it takes: on the store's page, or with `cratewire connect "
    "{which}`. If the saved keys are good again: `cratewire connections resume {which}`."
)


def _find_items(context: Context) -> Iterator[AttentionItem]:
    with reading(context.engine) as db:
        for one in list_all_connections(db):
            store = get_store(db, one.store_id)
            if store is None or one.status == "active" or not is_paused_by_platform(one.status_reason):
                continue
            title, waiting = format_platform_title(one.platform, one.label), load_backlog(db, one.id)
            yield AttentionItem(
                NAME,
                format_connection_path(store.name, one.platform, one.label),
                MERCHANT,
                f"{store.name}: {title} refuses the connection ({one.status_reason})",
                f"{waiting}. Nothing leaves for {title}; everything is kept and leaves once this is mended.",
                _TO_DO.format(store=store.name, title=title, which=_build_options(store.name, one.label)),
                one.status_at,
                store.name,
                store.id,
                tried=_describe_retries(context, one.id),
                reason=one.status_reason,
                facts=waiting.facts(one.id),
            )


def _build_options(store: str, label: str) -> str:
    return f"--store {store} --label {label}" if label else f"--store {store}"


def _describe_retries(context: Context, connection_id: int) -> tuple[str, ...]:
    last: Any = context.redis.get(redis_keys.credential_retry(connection_id))
    if last is None:
        return ()
    return (f"The saved keys are tried again every five minutes, last at {format_time(int(last))}.",)


CAUSE = Cause(NAME, _find_items, summarize_cleared_backlog)
