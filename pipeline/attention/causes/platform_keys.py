"""A platform has refused a connection: its keys, its region or its address. Nothing leaves until that is mended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline import keys
from pipeline.attention.item import Cause, Item, Sources
from pipeline.attention.waiting import left, title_of, waiting_at
from pipeline.ledger.connections import load_connections, place_of
from pipeline.ledger.engine import reading
from pipeline.ledger.silence.alarms import MERCHANT
from pipeline.ledger.stores import get_store
from pipeline.pausing import by_platform
from pipeline.silence.words import when

NAME = "platform_keys_refused"
_TO_DO = (
    "Connect {store} to {title} again with keys that it takes: on the store's page, or with `cratewire connect "
    "{which}`. If the saved keys are good again: `cratewire connections resume {which}`."
)


def _look(sources: Sources) -> Iterator[Item]:
    with reading(sources.engine) as db:
        for one in load_connections(db):
            store = get_store(db, one.store_id)
            if store is None or one.status == "active" or not by_platform(one.status_reason):
                continue
            title, waiting = title_of(one.platform, one.label), waiting_at(db, one.id)
            yield Item(
                NAME,
                place_of(store.name, one.platform, one.label),
                MERCHANT,
                f"{store.name}: {title} refuses the connection ({one.status_reason})",
                f"{waiting}. Nothing leaves for {title}; everything is kept and leaves once this is mended.",
                _TO_DO.format(store=store.name, title=title, which=_which(store.name, one.label)),
                one.status_at,
                store.name,
                store.id,
                tried=_tried(sources, one.id),
                reason=one.status_reason,
                facts=waiting.facts(one.id),
            )


def _which(store: str, label: str) -> str:
    return f"--store {store} --label {label}" if label else f"--store {store}"


def _tried(sources: Sources, connection_id: int) -> tuple[str, ...]:
    last: Any = sources.redis.get(keys.retried(connection_id))
    if last is None:
        return ()
    return (f"The saved keys are tried again every five minutes, last at {when(int(last))}.",)


CAUSE = Cause(NAME, _look, left)
