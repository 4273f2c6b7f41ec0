"""What every Python peer does with a hook, as a first version would be written: decode, validate, fan out, send."""

from __future__ import annotations

import json
import os
from typing import Any

import requests
from marshmallow import EXCLUDE, Schema, fields

TIMEOUT = 10

_session = requests.Session()
_session.auth = (os.environ["PEER_SITE_ID"], os.environ["PEER_API_KEY"])  # noqa: TID251 a peer has no settings of ours
_URL = os.environ["PEER_PLATFORM"] + "/api/v2/batch"  # noqa: TID251 the same


class _Part(Schema):
    class Meta:
        unknown = EXCLUDE


class Customer(_Part):
    """Who bought."""

    id = fields.Integer(required=True)
    email = fields.Email(required=True)
    first_name = fields.String(allow_none=True)
    last_name = fields.String(allow_none=True)
    country = fields.String(allow_none=True)


class GiftInfo(_Part):
    """Whose gift it is."""

    gift_recipient_email = fields.Email(required=True)
    gift_recipient_name = fields.String(allow_none=True)
    gift_message = fields.String(allow_none=True)


class Order(_Part):
    """What was bought."""

    id = fields.Integer(required=True)
    total = fields.Integer()
    sub_total = fields.Integer()
    status = fields.String()
    financial_status = fields.String()
    placed_at = fields.DateTime(format="iso")
    is_gift = fields.Boolean()
    order_gift_info = fields.Nested(GiftInfo, allow_none=True)


class Term(_Part):
    """For how long."""

    name = fields.String()
    num_cycles = fields.Integer()


class Product(_Part):
    """What is in the box."""

    id = fields.Integer()
    name = fields.String()
    sku = fields.String()


class Fulfillment(_Part):
    """A box of a shipment."""

    id = fields.Integer()
    status = fields.String()
    order = fields.Nested(Order)


class Hook(_Part):
    """The fields of all events; whichever is present is read."""

    id = fields.Integer(required=True)
    customer = fields.Nested(Customer)
    order = fields.Nested(Order)
    total = fields.Integer()
    sub_total = fields.Integer()
    status = fields.String()
    result = fields.String()
    financial_status = fields.String()
    placed_at = fields.DateTime(format="iso")
    start_date = fields.DateTime(format="iso")
    end_date = fields.DateTime(format="iso")
    shipped_at = fields.DateTime(format="iso")
    tracking_number = fields.String()
    is_gift = fields.Boolean()
    autorenew = fields.Boolean()
    order_gift_info = fields.Nested(GiftInfo, allow_none=True)
    subscription_gift_info = fields.Nested(GiftInfo, allow_none=True)
    term = fields.Nested(Term)
    product = fields.Nested(Product)
    fulfillments = fields.List(fields.Nested(Fulfillment))


class OrderHook(Hook):
    """The customer of a transaction is in its order."""

    order = fields.Nested(type("OrderWithCustomer", (Order,), {"customer": fields.Nested(Customer)}))


_SCHEMA = OrderHook()
_HAS_RECIPIENT = {"order_new", "order_updated", "shipment_shipped", "subscription_new"}


def decode(raw: str) -> dict[str, Any]:
    """A string that holds JSON, or JSON."""
    body: Any = json.loads(raw)
    decoded: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return decoded


def validate(body: dict[str, Any]) -> dict[str, Any]:
    """The fields we know, checked; as JSON can carry them."""
    checked: dict[str, Any] = _SCHEMA.dump(_SCHEMA.load(body))
    return checked


def fan_out(event: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """A message for the customer and another for the recipient of a gift."""
    customer = data.get("customer") or data["order"]["customer"]
    rest = {key: value for key, value in data.items() if key != "customer"}
    names = {key: customer.get(key) for key in ("email", "first_name", "last_name", "country")}
    messages = [_message({"id": str(customer["id"])}, names, event, rest)]
    gift = _gift(data)
    if gift and event in _HAS_RECIPIENT:
        about = {"first_name": gift["gift_recipient_name"], "gift_recipient": True}
        shown = {"gift_message": gift.get("gift_message"), "giver": customer.get("first_name")}
        messages.append(_message({"email": gift["gift_recipient_email"]}, about, event, shown))
    return messages


def send(messages: list[dict[str, Any]]) -> None:
    """A call per person with profile and event."""
    for message in messages:
        who = {"type": "person", "identifiers": message["identifiers"]}
        identify = {**who, "action": "identify", "attributes": message["attributes"]}
        event = {**who, "action": "event", "name": message["event"], "attributes": message["data"]}
        _session.post(_URL, json={"batch": [identify, event]}, timeout=TIMEOUT).raise_for_status()


def _gift(data: dict[str, Any]) -> dict[str, Any] | None:
    boxes = data.get("fulfillments") or [{}]
    places = (data, boxes[0].get("order") or {})
    found = (place.get("order_gift_info") or place.get("subscription_gift_info") for place in places)
    return next((address for address in found if address), None)


def _message(who: dict[str, str], attributes: dict[str, Any], event: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"identifiers": who, "attributes": attributes, "event": event, "data": data}
