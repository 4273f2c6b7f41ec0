"""Reads the last orders and subscriptions of a store, to see which values of `source` they have.

How an order says that it came from Cratejoy's Marketplace is not documented, and neither is an order of the lists: the
last ones are found through filters on their dates, from the shortest time to the longest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.core.consent import format_source
from pipeline.core.errors import RequestRefused
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.pagination import Page
from pipeline.events.fields import format_time
from pipeline.ledger.sources import MAX_EXAMPLES, SourceSample

LAST_OBJECTS = 100
DAYS = (30, 365)  # of how far back to look, before everything
_COLLECTIONS = (("orders", "order", "placed_at"), ("subscriptions", "subscription", "start_date"))
_DATE_CHARS = 10
_DAY_US = 86_400_000_000

CallAllowed = Callable[[Callable[[], Page]], Page]


def read_sources(api: CratejoyClient, call: CallAllowed, now: int) -> list[SourceSample]:
    """The values in the last hundred orders and subscriptions, by value; at most six requests.

    `call` sends a request, and may wait until the budget allows it. Raises what the store's API does.
    """
    met: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for collection, kind, time in _COLLECTIONS:
        for item in _read_last(api, call, collection, time, now):
            value = format_source(item.get("source"))
            if value is not None:
                met[value].append({"kind": kind, "id": item.get("id"), "at": str(item.get(time) or "")[:_DATE_CHARS]})
    return [_build_sample(value, examples) for value, examples in sorted(met.items())]


def _read_last(
    api: CratejoyClient, call: CallAllowed, collection: str, time: str, now: int
) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for days in (*DAYS, None):
        page = _read_page(api, call, collection, _build_filters(time, days, now))
        found = page.results if page is not None else found
        if page is not None and len(page.results) >= LAST_OBJECTS:
            break
    return sorted(found, key=lambda item: str(item.get(time) or ""))[-LAST_OBJECTS:]


def _read_page(api: CratejoyClient, call: CallAllowed, collection: str, filters: Mapping[str, str]) -> Page | None:
    """None if the store does not take this filter."""
    try:
        return call(lambda: api.page(collection, filters, limit=LAST_OBJECTS))
    except RequestRefused:
        if filters:
            return None
        raise


def _build_filters(time: str, days: int | None, now: int) -> dict[str, str]:
    return {} if days is None else {f"{time}__ge": format_time(now - days * _DAY_US)}


def _build_sample(value: str, examples: Sequence[dict[str, Any]]) -> SourceSample:
    counts = {kind: sum(item["kind"] == kind for item in examples) for _, kind, _ in _COLLECTIONS}
    newest = sorted(examples, key=lambda item: (item["kind"] == "order", item["at"]), reverse=True)
    return SourceSample(value, counts["order"], counts["subscription"], newest[:MAX_EXAMPLES])
