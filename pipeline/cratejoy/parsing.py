"""Loads the responses of the Merchant API by the schema of their resource. One unreadable object does not spoil a page.

As in a hook, one unreadable field does not spoil an object that events are about, unless the field identifies the
object or its owner.
"""

from __future__ import annotations

from typing import Any

from pipeline.core.errors import BadResponse, BrokenPage
from pipeline.cratejoy.pagination import Page, UnreadableObject
from pipeline.events.catalogue import strict_paths_for_model
from pipeline.infra import metrics
from schemas import InvalidBody, Loaded, load

# The last part of a path -> the schema of what is there.
SCHEMA_BY_RESOURCE = {
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


def get_schema_name(resource: str) -> str:
    """The schema of a collection's objects. Raises KeyError for a resource without a schema."""
    return SCHEMA_BY_RESOURCE[resource.strip("/").rpartition("/")[2]]


def parse_object(schema: str, body: object, what: str) -> dict[str, Any]:
    """Load one object. Raises BadResponse if it cannot be read."""
    try:
        return _load(schema, body).data
    except InvalidBody as error:
        raise BadResponse(f"{what}: {error}") from None


def parse_relation_page(schema: str, body: object, what: str) -> Page:
    """Load a page: the envelope, or a bare list or object, as links to relations may return. `next` is unchanged."""
    if not _is_envelope(body):
        return _build_page(schema, body if isinstance(body, list) else [body])
    envelope = parse_object("envelope", body, what)
    results, next_ = envelope.get("results"), envelope.get("next")
    if results is None and envelope.get("count") == 0 and not next_:
        results = []
    if not isinstance(results, list):
        raise BrokenPage(f"{what}: the answer is not a page: results is {'null' if results is None else 'not a list'}")
    return _build_page(schema, results, next_, envelope.get("count"))


def parse_collection_page(schema: str, body: object, what: str) -> Page:
    """Load a page of a collection, which always has an envelope (Cratejoy docs: Collections)."""
    if not _is_envelope(body):
        raise BadResponse(f"{what}: the answer is not a page")
    return parse_relation_page(schema, body, what)


def _is_envelope(body: object) -> bool:
    return isinstance(body, dict) and "results" in body


def _build_page(schema: str, items: list[Any], next_: str | None = None, count: int | None = None) -> Page:
    page = Page([], [], next_, count)
    for item in items:
        try:
            page.results.append(_load(schema, item).data)
        except InvalidBody as error:
            page.unreadable.append(UnreadableObject(_get_id(item), error.errors))
    return page


def _load(schema: str, body: object) -> Loaded:
    loaded = load(schema, body, strict_paths_for_model(schema))
    if loaded.unreadable:
        metrics.UNREADABLE_FIELDS.labels("api").inc(len(loaded.unreadable))
    return loaded


def _get_id(item: object) -> int | None:
    id_ = item.get("id") if isinstance(item, dict) else None
    return id_ if type(id_) is int else None
