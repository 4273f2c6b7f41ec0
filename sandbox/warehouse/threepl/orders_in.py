"""Read a new order as the vendor's `POST /orders` does, and refuse what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from sandbox.warehouse.floor import Floor
from sandbox.warehouse.orders import Line, Order
from sandbox.warehouse.threepl.errors import ApiError, invalid_model

CHANNEL = "3pl"
CUSTOMER = {"name": "Example Merchant", "id": 7}
FACILITY = {"name": "DC-1", "id": 1}
# The required set is only partly documented; beyond the address's main parts nothing is required here.
SHIP_TO = ("address1", "city", "zip", "country")
COUNTRY_LETTERS = 2
SHAPES: Mapping[str, type] = {
    "customerIdentifier": dict,
    "facilityIdentifier": dict,
    "shipTo": dict,
    "routingInfo": dict,
    "orderItems": list,
    "savedElements": list,
}


def accept(floor: Floor, received: Any) -> Order:
    """Take the order, or raise ApiError."""
    if not isinstance(received, Mapping):
        raise invalid_model("Required", ("Order", None))
    _require_shapes(received)
    _require(received)
    _require_known(received)
    lines = [_line(floor, item) for item in received["orderItems"]]
    unknown = [line.sku for line in lines if line.sku in floor.switches.unknown_skus]
    if unknown:
        raise invalid_model("DoesNotExist", *(("ItemIdentifier.Sku", sku) for sku in unknown))
    number = str(received["referenceNum"])
    # The scope of uniqueness is not documented. Here it is the customer, and cancelled orders count.
    if floor.switches.refuse_duplicates and floor.holds(CHANNEL, number):
        raise invalid_model("Duplicate", ("ReferenceNum", number))
    return floor.accept(CHANNEL, number, lines, received)


def _require_shapes(received: Mapping[str, Any]) -> None:
    for name, shape in SHAPES.items():
        value = received.get(name)
        items = value if isinstance(value, list) else []
        if value is not None and not (isinstance(value, shape) and all(isinstance(item, Mapping) for item in items)):
            raise invalid_model("ValueNotSupported", (name[0].upper() + name[1:], None))


def _require(received: Mapping[str, Any]) -> None:
    missing = [name for name in ("customerIdentifier", "facilityIdentifier", "referenceNum") if not received.get(name)]
    ship_to = received.get("shipTo") or {}
    missing += [f"ShipTo.{name.title()}" for name in SHIP_TO if not str(ship_to.get(name) or "").strip()]
    if not (ship_to.get("name") or ship_to.get("companyName")):
        missing.append("ShipTo.Name")
    missing += [] if received.get("orderItems") else ["OrderItems"]
    if missing:
        raise invalid_model("Required", *((name[0].upper() + name[1:], None) for name in missing))
    if len(str(ship_to["country"])) != COUNTRY_LETTERS:
        raise invalid_model("ValueNotSupported", ("ShipTo.Country", ship_to["country"]))


def _require_known(received: Mapping[str, Any]) -> None:
    """An id wins over a name; one of them is enough."""
    for name, known in (("customerIdentifier", CUSTOMER), ("facilityIdentifier", FACILITY)):
        given = received[name]
        key = "id" if given.get("id") is not None else "name"
        if given.get(key) != known[key]:
            raise invalid_model("DoesNotExist", (f"{name[0].upper()}{name[1:]}.{key.title()}", given.get(key)))


def _line(floor: Floor, item: Mapping[str, Any]) -> Line:
    identifier = item.get("itemIdentifier")
    sku = isinstance(identifier, Mapping) and (identifier.get("sku") or identifier.get("id"))
    if not sku:
        raise invalid_model("Required", ("OrderItems.ItemIdentifier", None))
    quantity = item.get("qty")
    if not isinstance(quantity, int | float) or quantity <= 0 or quantity != int(quantity):
        raise _wrong_quantity(quantity)
    return Line(floor.new_id(), str(sku), int(quantity), None, item.get("externalId"))


def _wrong_quantity(quantity: object) -> ApiError:
    return invalid_model("Required" if quantity is None else "ValueNotSupported", ("OrderItems.Qty", quantity))
