"""The vendor's own web hooks, with JSON inside JSON, and the address of the key that signs them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sandbox.store import dates
from sandbox.warehouse.floor import Happening
from sandbox.warehouse.orders import Order
from sandbox.warehouse.threepl.errors import invalid_query
from sandbox.warehouse.threepl.token_views import answer
from sandbox.warehouse.world import World

TPL_ID = 1001
EVENTS: Mapping[str, str] = {
    "accepted": "OrderCreate",
    "shipped": "OrderConfirm",
    "cancelled": "OrderCancel",
    "rejected": "OrderUpdate",
}


def write_event(happening: Happening, event_id: int, now: float) -> tuple[str, bytes]:
    """Return the type and body of the event. A box partly shipped is only an update."""
    kind = EVENTS[happening.kind]
    if happening.kind == "shipped" and not happening.is_complete:
        kind = "OrderUpdate"
    return kind, write_message(kind, happening.order, event_id, now)


def write_message(kind: str, order: Order, event_id: int, now: float) -> bytes:
    """Return the body. `links` and `data` are texts that hold JSON; `resource.body` is a text or an object by turns."""
    resource = {"orderId": order.order_id, "referenceNum": order.number}
    href = f"/orders/{order.order_id}"
    content = {
        "tplId": TPL_ID,
        "wmsEventId": event_id,
        "eventDateTimeUtc": dates.iso(int(now)),
        "eventType": kind,
        "resource": {"rel": "order", "href": href, "body": json.dumps(resource) if event_id % 2 else resource},
        "links": json.dumps([{"rel": "order", "href": href}]),
        "data": json.dumps({"OrderId": str(order.order_id)}),
        "tags": [],
    }
    return json.dumps(content).encode()


def add_key(blueprint: Blueprint, world: World) -> None:
    """The address of the public key."""

    @blueprint.get("/events/webhook/key")
    def webhook_key() -> Response:
        pem = world.signing_key.to_pem(world.now)
        previous = request.args.get("previousRetrievalDateISO")
        if previous is not None and world.signing_key.made_at <= _seconds(previous):
            return Response(status=304)
        retrieved = datetime.fromtimestamp(world.now, UTC).isoformat()
        return answer({"publicKey": pem, "retrievalDateISO": retrieved})


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise invalid_query("NotParsable", "previousRetrievalDateISO", text) from None
