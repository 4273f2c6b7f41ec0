"""Ship codes: Cratejoy has no shipping methods, so a code says what kind of box it is, or if shipping was paid."""

from __future__ import annotations

from pipeline.core.fulfilment import Kind
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.settings import FulfilmentSettings, ShipCode

_BY_KIND: dict[Kind, str] = {"subscription": "SUBSCRIPTION", "order": "ORDER"}
CHARGED, FREE = "CHARGED", "FREE"


def find_source_code(shipment: Shipment, kind: Kind, settings: FulfilmentSettings) -> str:
    """Return the code before mapping."""
    if settings.ship_code_mode == "order_type":
        return _BY_KIND[kind]
    is_charged = any(order.total_shipping > 0 for order in shipment.orders) or any(
        item.shipping > 0 for item in shipment.open_items
    )
    return CHARGED if is_charged else FREE


def map_ship_code(source_code: str, settings: FulfilmentSettings, *, is_released: bool = False) -> ShipCode | None:
    """Return the warehouse's code, or None if the order waits for a mapping. `is_released`: a person let it go."""
    mapped = settings.ship_code_map.get(source_code)
    if mapped is None and settings.reject_unmapped_ship_codes and not is_released:
        return None
    return mapped or ShipCode(source_code)
