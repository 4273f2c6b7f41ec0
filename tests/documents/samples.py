"""The samples that docs/events.md must contain: plans of small invented bodies."""

from __future__ import annotations

from typing import Any

from pipeline.events.catalogue import EVENTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.plan import plan_event
from tests.builders import NOW, RECIPIENT, customer, gift_order, order, shipment, subscription, transaction

GIFT = Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")
INSTANCE = {"id": 64, "name": "Sample Box", "sku": "SQ1-M", "variants": [{"name": "Size", "value": "M"}]}
BOX = {"id": 7031, "subscription_id": 7021, "cycle_number": 0, "total_cycles": 3, "product_instance": INSTANCE}
MEMORY = {("subscription", 7021): GIFT, ("shipment", 7033): GIFT}

# event -> the loaded body of its sample; every other event carries one of the same models
BODIES: dict[str, dict[str, Any]] = {
    "customer_new": customer(),
    "order_new": gift_order(products=[{"id": 62, "name": "Sample Box", "sku": "SQ1", "price": 3495}]),
    "subscription_renewed": subscription(product_instance=INSTANCE),
    "shipment_shipped": shipment(fulfillments=[BOX]),
    "transaction_new": transaction(),
    "checkout_failed": {"customer": customer(), "order": order(id=None, financial_status=None)},
}


def build_payloads(event: str) -> dict[str, dict[str, Any]]:
    """Role -> the event data that a platform receives."""
    row, body = EVENTS[event], BODIES[event]
    identity = identify_event(row, body, "f" * 64, NOW)
    plan = plan_event(row, body, identity, MEMORY, "acme", "USD")
    return {person.role: person.data for person in plan.people}
