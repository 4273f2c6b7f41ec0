"""Reads one order, and its packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.fulfilment import AuthError, FindAnswer, NotFound, Retryable, Trouble, WarehouseOrder
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.calls import Endpoint, read_object
from pipeline.warehouses.extensiv_3pl.api import Api
from pipeline.warehouses.extensiv_3pl.orders import add_packages, parse_order, read_rows
from pipeline.warehouses.extensiv_3pl.problems import parse_success

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list, and how many there are in all."""

    rows: list[Mapping[str, Any]]
    total: int | None


def parse_list(response: HTTPResponse | Trouble, relation: str = "orders/order") -> Listing | NotFound | Trouble:
    """Return the rows, or what stands in the way; NotFound is a 404."""
    answer = parse_success(response)
    if not isinstance(answer, HTTPResponse):
        return answer
    body = read_object(answer)
    rows = read_rows(body, relation)
    if body is None or rows is None:
        return Retryable("answered without a list")
    total = body.get("totalResults")
    return Listing(rows, total if isinstance(total, int) else None)


def parse_orders(response: HTTPResponse | Trouble) -> Listing | Trouble:
    """The same of a list of orders, which is there at every tenant: a 404 means that the address is not the API's."""
    is_absent = isinstance(response, HTTPResponse) and response.status == _NOT_FOUND
    listing = NotFound() if is_absent else parse_list(response)
    return AuthError("answered 404: there is no API at this address") if isinstance(listing, NotFound) else listing


def read_order(api: Api, order_id: str, detail: str = "All") -> FindAnswer:
    """Return the order with its ETag as `version`, quotes and all."""
    endpoint = Endpoint("GET", f"/orders/{order_id}?detail={detail}", "/orders/{id}")
    answer = parse_success(api.call(endpoint))
    if not isinstance(answer, HTTPResponse):
        return answer
    found = parse_order(read_object(answer) or {}, answer.headers.get("etag", ""))
    return found or Retryable("answered without the order")


def complete_packages(api: Api, order: WarehouseOrder, row: Mapping[str, Any]) -> WarehouseOrder | Trouble:
    """Return a shipped order with its packages: where the order does not show their numbers, their own list may."""
    if order.progress != "shipped" or order.packages:
        return order
    response = api.call(Endpoint("GET", f"/orders/{order.external_id}/packages", "/orders/{id}/packages"))
    listing = parse_list(response, "orders/package")
    if isinstance(listing, Listing):
        return add_packages(order, row, listing.rows)
    return order if isinstance(listing, NotFound) else listing
