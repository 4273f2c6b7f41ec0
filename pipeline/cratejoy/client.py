"""The client of one store's Merchant API. Each method sends one request; none waits, none tries again.

Every request takes from the budget that all processes share for this store. When the budget is used up, a method raises
RateLimited with the seconds to wait and sends nothing. A 429, or another refusal with a `Retry-After`, pauses the
budget for all processes. Errors are those of `pipeline.core.errors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any, Protocol, TypeVar

from pipeline.core.errors import BadResponse, BrokenPage, RateLimited, RequestRefused, Throttled, WrongAddress
from pipeline.cratejoy import parsing
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.pagination import Page, RawPage, UnreadableObject
from pipeline.cratejoy.responses import (
    TOO_MANY_REQUESTS,
    get_retry_after_s,
    is_rate_accepted,
    is_refusal,
    parse_json,
    raise_for_status,
)
from pipeline.cratejoy.urls import (
    build_query,
    build_url,
    change_version,
    extract_query,
    resolve_link,
    resolve_next_page,
)
from pipeline.infra import metrics
from pipeline.infra.http.client import HTTPClient, HTTPResponse, Method
from schemas import SCHEMAS

__all__ = ["CratejoyClient", "Credentials", "Page", "UnreadableObject"]

MAX_RESPONSE_BYTES = 32_000_000  # a hundred orders with all their relations have about one million
MIN_WAIT_S = 0.05
_Page = TypeVar("_Page", Page, RawPage)


class RequestBudget(Protocol):
    """The request rate that all processes share for this store."""

    def acquire(self, cost: int = 1) -> float: ...

    def pause(self, seconds: float | None) -> object: ...

    def hold_off(self, seconds: float) -> object: ...

    def pause_left_s(self) -> float: ...

    def record_success(self) -> None: ...


class CratejoyClient:
    """One store. Resources are named as in the paths: "customers", "orders", "customers/7/addresses"."""

    def __init__(self, credentials: Credentials, http: HTTPClient, budget: RequestBudget) -> None:
        self._base_url = credentials.base_url
        self._headers = {"Accept": "application/json", "Authorization": credentials.authorization}
        self._http = http
        self._budget = budget

    def check(self) -> None:
        """Try the keys with the smallest request. Raise BadCredentials, WrongAddress, Unreachable or RateLimited."""
        try:
            self.page("hooks", limit=1)
        except RequestRefused as error:
            raise WrongAddress(f"there is no Merchant API at this address ({error.status}). It ends in /v1/") from error

    def get(self, resource: str, id: int, with_: Sequence[str] = ()) -> dict[str, Any]:  # noqa: A002 - the field's name
        """Get one element. `with_`: the relations to embed, instead of the resource's default ones."""
        what = f"{resource}/{id}"
        response = self._request("GET", build_url(self._base_url, what, build_query({}, with_, None)), what)
        return parsing.parse_object(parsing.get_schema_name(resource), parse_json(response, what), what)

    def page(
        self,
        resource: str,
        filters: Mapping[str, str] | None = None,
        next_: str | None = None,
        limit: int = 100,
        *,
        with_: Sequence[str] = (),
    ) -> Page:
        """Get the first page, or the page that `next_` leads to; the other arguments then have no effect."""
        collection = build_url(self._base_url, resource)
        first = build_url(self._base_url, resource, build_query(filters or {}, with_, limit))
        response = self._request("GET", resolve_next_page(collection, next_) if next_ else first, resource)
        page = parsing.parse_collection_page(
            parsing.get_schema_name(resource), parse_json(response, resource), resource
        )
        return _resolve_next(page, collection)

    def follow(self, resource: str, owner: Mapping[str, Any], relation: str, next_: str | None = None) -> Page:
        """Get the page that a loaded object's link to a relation leads to. An embedded relation costs no request."""
        value = owner.get(relation)
        link = (owner.get("links") or {}).get(relation) or (value.get("link") if isinstance(value, dict) else None)
        if link is None:
            return Page(value if isinstance(value, list) else [value] if value else [])
        url, what = resolve_link(self._base_url, link), f"{resource}/{owner.get('id')}/{relation}"
        response = self._request("GET", resolve_next_page(url, next_) if next_ else url, what)
        schema = SCHEMAS[parsing.get_schema_name(resource)].relations[relation].schema_name
        return _resolve_next(parsing.parse_relation_page(schema, parse_json(response, what), what), url)

    def create(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an element. After Unreachable it may exist all the same: list the elements before trying again."""
        response = self._request("POST", build_url(self._base_url, resource), resource, body)
        return parsing.parse_object(parsing.get_schema_name(resource), parse_json(response, resource), resource)

    def update(self, resource: str, id: int, body: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Change an element."""
        what = f"{resource}/{id}"
        response = self._request("PUT", build_url(self._base_url, what), what, body)
        return parsing.parse_object(parsing.get_schema_name(resource), parse_json(response, what), what)

    def delete(self, resource: str, id: int) -> None:  # noqa: A002 - as above
        """Delete an element. Raise NotFound if it does not exist any more."""
        what = f"{resource}/{id}"
        self._request("DELETE", build_url(self._base_url, what), what)

    def read_json(self, path: str, query: Mapping[str, str]) -> Any:
        """GET a path; returns the JSON as it was sent, with nothing left out."""
        return parse_json(self._request("GET", build_url(self._base_url, path, query), path), path)

    def read_raw_page(
        self, resource: str, filters: Mapping[str, str], next_: str | None = None, *, version: str = "v1"
    ) -> RawPage:
        """Get a page as it was sent: the first, or the one that `next_` leads to. Raises BadResponse for no page."""
        base_url = change_version(self._base_url, version)
        collection = build_url(base_url, resource)
        url = resolve_next_page(collection, next_) if next_ else build_url(base_url, resource, filters)
        body = parse_json(self._request("GET", url, resource), resource)
        if not isinstance(body, dict) or not isinstance(body.get("results"), list):
            raise BrokenPage(f"{resource}: the answer is not a page")
        following, count = body.get("next"), body.get("count")
        if following is not None and not isinstance(following, str):
            raise BadResponse(f"{resource}: the address of the next page is not a text")
        page = RawPage(body["results"], following or None, count if type(count) is int else None)
        return _resolve_next(page, collection)

    def write_json(self, path: str, body: Mapping[str, Any]) -> None:
        """PUT these properties, and no others. After Unreachable they may have been written all the same."""
        self._request("PUT", build_url(self._base_url, path), path, body)

    def _request(self, method: Method, url: str, what: str, body: Mapping[str, Any] | None = None) -> HTTPResponse:
        wait = self._budget.acquire()
        if wait > 0:
            is_throttled = self._budget.pause_left_s() > 0
            reason = "the store asks us to wait" if is_throttled else "the store's budget of requests is used up"
            raise RateLimited(wait, f"{method} {what}: {reason} for {ceil(wait)} s", throttled=is_throttled)
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        payload = None if body is None else json.dumps(dict(body)).encode()
        response = self._http.call(method, url, headers=headers, body=payload, max_bytes=MAX_RESPONSE_BYTES)
        metrics.STORE_CALLS.labels(str(response.status or "none")).inc()
        if response.status == TOO_MANY_REQUESTS:
            self._budget.pause(get_retry_after_s(response))
            wait = max(self._budget.pause_left_s(), MIN_WAIT_S)
            raise Throttled(wait, f"{method} {what}: too many requests; this store is not asked for {ceil(wait)} s")
        if is_rate_accepted(response):
            self._budget.record_success()
        if is_refusal(response) and (retry_after_s := get_retry_after_s(response)):
            self._budget.hold_off(retry_after_s)
        raise_for_status(response, f"{method} {what}")
        return response


def _resolve_next(page: _Page, collection: str) -> _Page:
    """The page with its `next` as a query of this collection, whatever form it came in."""
    return replace(page, next=extract_query(resolve_next_page(collection, page.next))) if page.next else page
