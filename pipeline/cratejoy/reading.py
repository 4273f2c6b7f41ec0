"""Loads what the Merchant API answers by the schema of its resource. One bad object does not spoil its page.

As in a hook, one bad field does not spoil an object that an event can be about, unless it says which object it is,
or whose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline import metrics
from pipeline.errors import BadAnswer, BrokenPage
from pipeline.events.strict import strict_paths_of_model
from schemas import Invalid, Loaded, load

# The last part of a path -> the schema of what is there.
SCHEMA_OF = {
    "addresses": "address",
    "customers": "customer",
    "fulfillments": "fulfillment",
    "hooks": "hook",
    "inventory": "inventory",
    "metadata": "metadata",
    "orders": "order",
    "product_instances": "product_instance",
    "product_survey_results": "survey",
    "products": "product",
    "shipment_batches": "batch",
    "shipments": "shipment",
    "subscriptions": "subscription",
    "transactions": "transaction",
}


@dataclass(frozen=True, slots=True)
class Bad:
    """An object its schema cannot read. `errors`: path of the field -> messages; neither holds a value."""

    id: int | None
    errors: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection. `next` is a query to hand back for the next one; None: this was the last."""

    results: list[dict[str, Any]]
    bad: list[Bad] = field(default_factory=list)
    next: str | None = None
    count: int | None = None


def schema_of(resource: str) -> str:
    """The schema of a collection's objects; KeyError for a resource nobody has described."""
    return SCHEMA_OF[resource.strip("/").rpartition("/")[2]]


def one(schema: str, body: object, what: str) -> dict[str, Any]:
    """An element."""
    try:
        return _loaded(schema, body).data
    except Invalid as error:
        raise BadAnswer(f"{what}: {error}") from None


def many(schema: str, body: object, what: str) -> Page:
    """A page: the envelope, or a bare list or object, as links to relations may answer with. `next` is as it came."""
    if not _is_envelope(body):
        return _sorted_out(schema, body if isinstance(body, list) else [body])
    envelope = one("envelope", body, what)
    results, leads_on = envelope.get("results"), envelope.get("next")
    if results is None and envelope.get("count") == 0 and not leads_on:
        results = []
    if not isinstance(results, list):
        raise BrokenPage(f"{what}: the answer is not a page: results is {'null' if results is None else 'not a list'}")
    return _sorted_out(schema, results, leads_on, envelope.get("count"))


def envelope_in(schema: str, body: object, what: str) -> Page:
    """A page of a collection, which always has an envelope (Cratejoy docs: Collections)."""
    if not _is_envelope(body):
        raise BadAnswer(f"{what}: the answer is not a page")
    return many(schema, body, what)


def _is_envelope(body: object) -> bool:
    return isinstance(body, dict) and "results" in body


def _sorted_out(schema: str, items: list[Any], next_: str | None = None, count: int | None = None) -> Page:
    page = Page([], [], next_, count)
    for item in items:
        try:
            page.results.append(_loaded(schema, item).data)
        except Invalid as error:
            page.bad.append(Bad(_id_of(item), error.errors))
    return page


def _loaded(schema: str, body: object) -> Loaded:
    loaded = load(schema, body, strict_paths_of_model(schema))
    if loaded.aside:
        metrics.SET_ASIDE.labels("api").inc(len(loaded.aside))
    return loaded


def _id_of(item: object) -> int | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if type(found) is int else None
