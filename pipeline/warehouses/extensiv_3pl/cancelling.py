"""Cancels an order: an operator of the API, which takes effect only on the version of the order that it names."""

from __future__ import annotations

from pipeline.core.fulfilment import CancelAnswer, Cancelled, Refused, Retryable, WarehouseOrder
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.calls import Endpoint
from pipeline.warehouses.extensiv_3pl.api import Api
from pipeline.warehouses.extensiv_3pl.problems import parse_cancel_problem
from pipeline.warehouses.extensiv_3pl.reading import read_order

_MAX_TRIES = 3
_CHANGED = 412


def cancel_order(api: Api, order_number: str, order_id: str, reason: str) -> CancelAnswer:
    """Read the version, then cancel it; once more, at most three times, if the order has changed in between.

    An id that another account has given is that of a foreign order here.
    """
    for _ in range(_MAX_TRIES):
        found = read_order(api, order_id, detail="None")
        if not isinstance(found, WarehouseOrder):
            return found
        if found.order_number != order_number:
            return Refused("another_order")
        settled = _find_settled(found)
        if settled is not None:
            return settled
        response = api.call(
            Endpoint("POST", f"/orders/{order_id}/canceler", "/orders/{id}/canceler"),
            {"reason": reason},
            {"If-Match": found.version},
        )
        if isinstance(response, HTTPResponse) and response.status == _CHANGED:
            continue
        problem = parse_cancel_problem(response, is_on_hold=found.note == "on_hold")
        return Cancelled() if problem is None else problem
    return Retryable("the order changes all the time (412)")


def _find_settled(found: WarehouseOrder) -> Cancelled | Refused | None:
    if found.progress == "cancelled":
        return Cancelled()
    if found.progress == "shipped":
        return Refused("OrderConfirmed")
    return None if found.version else Refused("no_etag")
