"""An order as `POST /orders` takes it."""

from __future__ import annotations

from typing import Any

from pipeline.core.fulfilment import Order
from pipeline.warehouses.dates import format_date


def build_order(order: Order, *, customer_id: int, facility: str, billing_code: str) -> dict[str, Any]:
    """Return the body. `facility`: its id or its name. Times have no zone there."""
    to = order.ship_to
    return {
        "customerIdentifier": {"id": customer_id},
        "facilityIdentifier": {"id": int(facility)} if facility.isdecimal() else {"name": facility},
        "referenceNum": order.order_number,
        "poNum": ",".join(map(str, order.order_ids)),
        "externalId": str(order.shipment_id),
        "notes": f"Gift: {order.gift_message}" if order.gift_message else "",
        "shippingNotes": "",
        "earliestShipDate": f"{format_date(order.target_at)}T00:00:00",
        "orderType": "D2C",
        "routingInfo": _build_routing(order, billing_code),
        "shipTo": {
            "companyName": to.company,
            "name": to.name,
            "address1": to.address1,
            "address2": to.address2,
            "city": to.city,
            "state": to.state,
            "zip": to.zip,
            "country": to.country,
            "phoneNumber": to.phone,
            "emailAddress": to.email,
            "isAddressResidential": True,
        },
        "savedElements": [
            {"name": name, "value": str(value)}
            for name, value in (("CratejoyShipmentId", order.shipment_id), ("CratejoyCycle", order.cycle))
            if value is not None
        ],
        "orderItems": [
            {
                "itemIdentifier": {"sku": line.sku},
                "qty": line.quantity,
                "externalId": ",".join(map(str, line.fulfillment_ids)),
            }
            for line in order.lines
        ],
    }


def _build_routing(order: Order, billing_code: str) -> dict[str, str]:
    """`mode` is the service's code at the warehouse; without a carrier the warehouse's own is taken."""
    routing = {"carrier": order.carrier, "mode": order.ship_code, "billingCode": billing_code}
    return {name: value for name, value in routing.items() if value}
