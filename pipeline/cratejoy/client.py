"""The client of one store's Merchant API. One method, one request; nothing waits, nothing is tried again.

Every request passes the budget all of our processes share for this store. While that says no, a method raises Wait
with the seconds and has asked nothing; a 429, or another refusal with a `Retry-After`, closes the gate for everybody.
Errors are those of `pipeline.core.errors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any, Protocol

from pipeline.core.errors import RateLimited, RequestRefused, Throttled, WrongAddress
from pipeline.cratejoy import parsing
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.parsing import Page, UnreadableObject
from pipeline.cratejoy.responses import (
    TOO_MANY_REQUESTS,
    get_retry_after_s,
    is_rate_accepted,
    is_refusal,
    parse_json,
    raise_for_status,
)
from pipeline.cratejoy.urls import build_query, build_url, extract_query, resolve_link, resolve_next_page
from pipeline.infra import metrics
from pipeline.infra.http.client import HTTPClient, HTTPResponse, Method
from schemas import SCHEMAS

__all__ = ["CratejoyClient", "Credentials", "Page", "UnreadableObject"]

MAX_RESPONSE_BYTES = 32_000_000  # of one answer: a hundred orders with all that hangs on them have about one
MIN_WAIT_S = 0.05  # seconds


class RequestBudget(Protocol):
    """What all processes together may ask of this store."""

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
        """Try the keys with the smallest question there is. Raise BadCredentials, WrongAddress, Unreachable or Wait."""
        try:
            self.page("hooks", limit=1)
        except RequestRefused as error:
            raise WrongAddress(f"there is no Merchant API at this address ({error.status}). It ends in /v1/") from error

    def get(self, resource: str, id: int, with_: Sequence[str] = ()) -> dict[str, Any]:  # noqa: A002 - the field's name
        """One element. `with_` names the relations to embed and replaces the resource's usual set."""
        what = f"{resource}/{id}"
        answer = self._request("GET", build_url(self._base_url, what, build_query({}, with_, None)), what)
        return parsing.parse_object(parsing.get_schema_name(resource), parse_json(answer, what), what)

    def page(
        self,
        resource: str,
        filters: Mapping[str, str] | None = None,
        next_: str | None = None,
        limit: int = 100,
        *,
        with_: Sequence[str] = (),
    ) -> Page:
        """The first page, or the one a page's `next` leads to: then `next_` alone says what is asked."""
        collection = build_url(self._base_url, resource)
        first = build_url(self._base_url, resource, build_query(filters or {}, with_, limit))
        answer = self._request("GET", resolve_next_page(collection, next_) if next_ else first, resource)
        page = parsing.parse_collection_page(parsing.get_schema_name(resource), parse_json(answer, resource), resource)
        return _resolve_next(page, collection)

    def follow(self, resource: str, owner: Mapping[str, Any], relation: str, next_: str | None = None) -> Page:
        """What a relation's link of a loaded object leads to. A relation that is embedded costs no request."""
        told = owner.get(relation)
        link = (owner.get("links") or {}).get(relation) or (told.get("link") if isinstance(told, dict) else None)
        if link is None:
            return Page(told if isinstance(told, list) else [told] if told else [])
        place, what = resolve_link(self._base_url, link), f"{resource}/{owner.get('id')}/{relation}"
        answer = self._request("GET", resolve_next_page(place, next_) if next_ else place, what)
        schema = SCHEMAS[parsing.get_schema_name(resource)].relations[relation].schema_name
        return _resolve_next(parsing.parse_relation_page(schema, parse_json(answer, what), what), place)

    def create(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an element. After Unreachable it may have been made all the same: look before trying again."""
        answer = self._request("POST", build_url(self._base_url, resource), resource, body)
        return parsing.parse_object(parsing.get_schema_name(resource), parse_json(answer, resource), resource)

    def update(self, resource: str, id: int, body: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Change an element."""
        what = f"{resource}/{id}"
        answer = self._request("PUT", build_url(self._base_url, what), what, body)
        return parsing.parse_object(parsing.get_schema_name(resource), parse_json(answer, what), what)

    def delete(self, resource: str, id: int) -> None:  # noqa: A002 - as above
        """Remove an element. Raise NotFound if it is gone already."""
        what = f"{resource}/{id}"
        self._request("DELETE", build_url(self._base_url, what), what)

    def _request(self, method: Method, url: str, what: str, body: Mapping[str, Any] | None = None) -> HTTPResponse:
        wait = self._budget.acquire()
        if wait > 0:
            throttled = self._budget.pause_left_s() > 0
            why = "the store has told us to wait" if throttled else "the store's budget of requests is used up"
            raise RateLimited(wait, f"{method} {what}: {why} for {ceil(wait)} s", throttled=throttled)
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        payload = None if body is None else json.dumps(dict(body)).encode()
        answer = self._http.call(method, url, headers=headers, body=payload, max_bytes=MAX_RESPONSE_BYTES)
        metrics.STORE_CALLS.labels(str(answer.status or "none")).inc()
        if answer.status == TOO_MANY_REQUESTS:
            self._budget.pause(get_retry_after_s(answer))
            wait = max(self._budget.pause_left_s(), MIN_WAIT_S)
            raise Throttled(wait, f"{method} {what}: too many requests; this store is not asked for {ceil(wait)} s")
        if is_rate_accepted(answer):
            self._budget.record_success()
        if is_refusal(answer) and (told := get_retry_after_s(answer)):
            self._budget.hold_off(told)
        raise_for_status(answer, f"{method} {what}")
        return answer


def _resolve_next(page: Page, collection: str) -> Page:
    """The page with its `next` looked at: it leads on within this collection, whatever form it came in."""
    return replace(page, next=extract_query(resolve_next_page(collection, page.next))) if page.next else page
