"""The client of one store's Merchant API. One method, one request; nothing waits, nothing is tried again.

Every request passes the budget all of our processes share for this store. While that says no, a method raises Wait
with the seconds and has asked nothing; a 429, or another refusal with a `Retry-After`, closes the gate for everybody.
Errors are those of `pipeline.errors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any, Protocol

from pipeline import metrics
from pipeline.cratejoy import reading
from pipeline.cratejoy.addresses import address, linked, page_after, query_of, question
from pipeline.cratejoy.answers import THROTTLED, check, is_refusal, is_taken, json_in, told_to_wait
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.reading import Bad, Page
from pipeline.errors import RequestRefused, Throttled, Wait, WrongAddress
from pipeline.http import HTTP, Answer, Method
from schemas import SCHEMAS

__all__ = ["Bad", "Cratejoy", "Credentials", "Page"]

MOST_BYTES = 32_000_000  # of one answer: a hundred orders with all that hangs on them have about one
SHORTEST_WAIT = 0.05  # seconds


class Gate(Protocol):
    """What all processes together may ask of this store."""

    def acquire(self, cost: int = 1) -> float: ...

    def pause(self, seconds: float | None) -> object: ...

    def rest(self, seconds: float) -> object: ...

    def paused(self) -> float: ...

    def succeeded(self) -> None: ...


class Cratejoy:
    """One store. Resources are named as in the paths: "customers", "orders", "customers/7/addresses"."""

    def __init__(self, credentials: Credentials, http: HTTP, budget: Gate) -> None:
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
        answer = self._ask("GET", address(self._base_url, what, question({}, with_, None)), what)
        return reading.one(reading.schema_of(resource), json_in(answer, what), what)

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
        collection = address(self._base_url, resource)
        first = address(self._base_url, resource, question(filters or {}, with_, limit))
        answer = self._ask("GET", page_after(collection, next_) if next_ else first, resource)
        page = reading.envelope_in(reading.schema_of(resource), json_in(answer, resource), resource)
        return _led_on(page, collection)

    def follow(self, resource: str, owner: Mapping[str, Any], relation: str, next_: str | None = None) -> Page:
        """What a relation's link of a loaded object leads to. A relation that is embedded costs no request."""
        told = owner.get(relation)
        link = (owner.get("links") or {}).get(relation) or (told.get("link") if isinstance(told, dict) else None)
        if link is None:
            return Page(told if isinstance(told, list) else [told] if told else [])
        place, what = linked(self._base_url, link), f"{resource}/{owner.get('id')}/{relation}"
        answer = self._ask("GET", page_after(place, next_) if next_ else place, what)
        schema = SCHEMAS[reading.schema_of(resource)].relations[relation].to
        return _led_on(reading.many(schema, json_in(answer, what), what), place)

    def create(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an element. After Unreachable it may have been made all the same: look before trying again."""
        answer = self._ask("POST", address(self._base_url, resource), resource, body)
        return reading.one(reading.schema_of(resource), json_in(answer, resource), resource)

    def update(self, resource: str, id: int, body: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Change an element."""
        what = f"{resource}/{id}"
        answer = self._ask("PUT", address(self._base_url, what), what, body)
        return reading.one(reading.schema_of(resource), json_in(answer, what), what)

    def delete(self, resource: str, id: int) -> None:  # noqa: A002 - as above
        """Remove an element. Raise NotFound if it is gone already."""
        what = f"{resource}/{id}"
        self._ask("DELETE", address(self._base_url, what), what)

    def _ask(self, method: Method, url: str, what: str, body: Mapping[str, Any] | None = None) -> Answer:
        wait = self._budget.acquire()
        if wait > 0:
            throttled = self._budget.paused() > 0
            why = "the store has told us to wait" if throttled else "the store's budget of requests is used up"
            raise Wait(wait, f"{method} {what}: {why} for {ceil(wait)} s", throttled=throttled)
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        payload = None if body is None else json.dumps(dict(body)).encode()
        answer = self._http.call(method, url, headers=headers, body=payload, most_bytes=MOST_BYTES)
        metrics.STORE_CALLS.labels(str(answer.status or "none")).inc()
        if answer.status == THROTTLED:
            self._budget.pause(told_to_wait(answer))
            wait = max(self._budget.paused(), SHORTEST_WAIT)
            raise Throttled(wait, f"{method} {what}: too many requests; this store is not asked for {ceil(wait)} s")
        if is_taken(answer):
            self._budget.succeeded()
        if is_refusal(answer) and (told := told_to_wait(answer)):
            self._budget.rest(told)
        check(answer, f"{method} {what}")
        return answer


def _led_on(page: Page, collection: str) -> Page:
    """The page with its `next` looked at: it leads on within this collection, whatever form it came in."""
    return replace(page, next=query_of(page_after(collection, page.next))) if page.next else page
