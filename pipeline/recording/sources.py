"""Notes which values of `source` orders and subscriptions have had: what they mean has to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from pipeline.core.consent import format_source
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.customers import get_orders
from pipeline.ledger.schema.consent import StoreSource
from pipeline.ledger.sql.bulk import upsert
from pipeline.recording.candidate import EventCandidate

_DATE_CHARS = 10


def note_sources(conn: Connection, candidates: Iterable[EventCandidate], now: int) -> None:
    """Write the values that were not met before, each with an example."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for candidate in candidates:
        for value, example in find_sources(candidate):
            if value in candidate.store.consent.met_sources:
                continue
            key = candidate.store.id, value
            met = {"orders": 0, "subscriptions": 0, "examples": [example], "met_at": now}
            rows.setdefault(key, {"store_id": key[0], "value": value, **met})
    upsert(conn, StoreSource.__table__, list(rows.values()), update_columns=())


def find_sources(candidate: EventCandidate) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each value in an event's body, with the order or the subscription that has it. Ignored tests have none."""
    if candidate.is_ignored_test:
        return
    orders = get_orders(candidate.row, candidate.data)
    yield from _find_in("order", "placed_at", orders)
    if candidate.row.subject == "subscription":
        yield from _find_in("subscription", "start_date", [candidate.data])


def _find_in(kind: str, time: str, objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in objects:
        value = format_source(item.get("source"))
        if value is not None:
            yield value, {"kind": kind, "id": item.get("id"), "at": str(item.get(time) or "")[:_DATE_CHARS]}


def load_rules(conn: Connection, store: Row[Any]) -> ConsentRules:
    """The settings about consent of a row of `stores`, with the sources that were met."""
    met = conn.execute(select(StoreSource.value).where(StoreSource.store_id == store.id)).scalars()
    return build_store_rules(store, set(met))


def build_store_rules(store: Row[Any], met: set[str]) -> ConsentRules:
    """The settings about consent of a row of `stores`, with the sources that were met."""
    lists = store.marketplace_sources, store.storefront_sources
    marketplace, storefront = (frozenset(map(str, values or ())) for values in lists)
    return ConsentRules(
        store.marketplace_policy,
        marketplace,
        storefront,
        frozenset(met),
        store.gift_recipients,
    )
