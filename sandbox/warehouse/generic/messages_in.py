"""The messages that a shop posts: new orders and cancels."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sandbox.warehouse.floor import Floor, Refused
from sandbox.warehouse.orders import Line, Order

CHANNEL = "generic"
SHIP_TO = ("name", "address1", "city", "zip", "country")
REFUSALS = {"already_cancelled": "cancelled"}


class Reply(NamedTuple):
    """A status and its JSON."""

    status: int
    body: Mapping[str, Any]


def external_id(order: Order) -> str:
    """Return the warehouse's own id of an order."""
    return f"W-{order.order_id}"


def process(floor: Floor, body: bytes) -> Reply:
    """Do what a message asks for."""
    try:
        message = json.loads(body)
    except ValueError:
        return rejected(400, ("", "the body is not JSON"))
    if not isinstance(message, Mapping) or message.get("type") not in list(HANDLERS):
        return rejected(400, ("type", f"is one of {', '.join(HANDLERS)}"))
    data = message.get("data")
    if not isinstance(data, Mapping):
        return rejected(400, ("data", "is not an object"))
    if not isinstance(data.get("order_number"), str) or not data["order_number"]:
        return rejected(422, ("order_number", "is missing"))
    return HANDLERS[message["type"]](floor, data)


def create(floor: Floor, data: Mapping[str, Any]) -> Reply:
    """Take an order. The number of a cancelled one stays taken, a choice of ours."""
    number = data["order_number"]
    known = floor.latest(CHANNEL, number)
    if known is not None and floor.switches.refuse_duplicates:
        fingerprint = known.received.get("fingerprint")
        return Reply(409, {"status": "duplicate", "external_id": external_id(known), "fingerprint": fingerprint})
    errors = [*_find_faults(data), *_find_unknown_skus(floor, data)]
    if errors:
        return rejected(422, *errors)
    lines = [
        Line(floor.new_id(), str(line["sku"]), int(line["quantity"]), line.get("description")) for line in data["lines"]
    ]
    order = floor.accept(CHANNEL, number, lines, data)
    return Reply(floor.switches.created_status, {"status": "accepted", "external_id": external_id(order)})


def cancel(floor: Floor, data: Mapping[str, Any]) -> Reply:
    """Cancel an order: 200 when it is done, 202 when it takes a while. Cancelling twice works, a choice of ours."""
    order = floor.latest(CHANNEL, data["order_number"])
    if order is None:
        return Reply(404, {"status": "unknown"})
    try:
        floor.cancel(order)
    except Refused as refusal:
        if refusal.reason != "already_cancelled":
            return Reply(409, {"status": "refused", "reason": refusal.reason})
    is_done = not order.is_live
    status = "cancelled" if is_done else "accepted"
    return Reply(200 if is_done else 202, {"status": status, "external_id": external_id(order)})


HANDLERS: Mapping[str, Callable[[Floor, Mapping[str, Any]], Reply]] = {"order.create": create, "order.cancel": cancel}


def rejected(status: int, *errors: tuple[str, str]) -> Reply:
    """Return a refusal with a text for each field."""
    listed = [{"field": field, "message": message} for field, message in errors]
    return Reply(status, {"status": "rejected", "errors": listed})


def _find_faults(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    ship_to = data.get("ship_to")
    if not isinstance(ship_to, Mapping):
        return [("ship_to", "is missing")]
    faults = [(f"ship_to.{name}", "is missing") for name in SHIP_TO if not str(ship_to.get(name) or "").strip()]
    lines = data.get("lines")
    if not isinstance(lines, list) or not lines:
        return [*faults, ("lines", "is missing")]
    for number, line in enumerate(lines):
        if not isinstance(line, Mapping) or not line.get("sku"):
            faults.append((f"lines.{number}.sku", "is missing"))
        elif not isinstance(line.get("quantity"), int) or line["quantity"] < 1:
            faults.append((f"lines.{number}.quantity", "is not a number from 1"))
    return faults


def _find_unknown_skus(floor: Floor, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = data.get("lines")
    return [
        (f"lines.{number}.sku", "unknown")
        for number, line in enumerate(lines if isinstance(lines, list) else [])
        if isinstance(line, Mapping) and line.get("sku") in floor.switches.unknown_skus
    ]
