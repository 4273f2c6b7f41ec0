"""Write orders and packages as HAL, or in PascalCase for a client that does not ask for HAL."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.warehouse.orders import Order, Package
from sandbox.warehouse.switches import Switches
from sandbox.warehouse.threepl.orders_in import CUSTOMER, FACILITY

RELS = "http://api.3plCentral.com/rels/orders"
ORDER, ITEM, PACKAGE = f"{RELS}/order", f"{RELS}/item", f"{RELS}/package"
TRACK_INFO = f"{RELS}/orderparceltrackpackageinfo"
NO_DATE = "0001-01-01T00:00:00"
OPEN, CLOSED, CANCELLED = 0, 1, 2
RECEIVED = ("poNum", "externalId", "notes", "shippingNotes", "earliestShipDate", "orderType", "shipTo")
# Where HAL embeds, the other form has a member.
PASCAL_NAMES = {ORDER: "ResourceList", ITEM: "OrderItems", PACKAGE: "ResourceList", TRACK_INFO: "ResourceList"}


def local(seconds: float | None, switches: Switches) -> str | None:
    """Return a time without a zone; whether the vendor's times are UTC is unknown, so a switch moves them."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds) + switches.utc_offset_h * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def etag_of(order: Order, switches: Switches) -> str:
    """Return the ETag; each change of the order changes it."""
    return f'{"W/" if switches.weak_etags else ""}"{order.order_id}-{order.revision}"'


def status_of(order: Order) -> int:
    """Return 0, 1 or 2; a box partly shipped is still open."""
    return CANCELLED if not order.is_live else CLOSED if order.shipped_at is not None else OPEN


def is_closed(order: Order, switches: Switches) -> bool:
    """Is it shipped; or cancelled, where the tenant counts that as closed too?"""
    return status_of(order) == CLOSED or (not order.is_live and switches.cancelled_is_closed)


def tracking_numbers(order: Order) -> list[str]:
    """Return what is not empty."""
    return [package.tracking for package in order.packages if package.tracking]


def write_order(order: Order, switches: Switches, details: set[str]) -> dict[str, Any]:
    """Return an order; `details` are in lower case, `all` has everything."""
    has = _chooser(details)
    numbers, places = tracking_numbers(order), switches.tracking_places
    routing = dict(order.received.get("routingInfo") or {})
    if order.packages:
        routing |= {"carrier": order.packages[0].carrier, "mode": order.packages[0].method}
    routing["trackingNumber"] = "\n".join(numbers) if numbers and "routing" in places else None
    written = {
        "readOnly": _read_only(order, switches, has),
        "referenceNum": order.number,
        **{name: order.received.get(name) for name in RECEIVED},
        "routingInfo": routing,
    }
    if has("savedelements"):
        written["savedElements"] = [*(order.received.get("savedElements") or []), *_return_elements(order)]
    if has("smallparcel") and order.packages:
        written["parcelResponse"] = {
            "orderId": order.order_id,
            "trackingNumbers": numbers if "parcel" in places else [],
            "returnTrackingNumbers": [package.return_tracking for package in order.packages],
        }
    if has("orderitems"):
        written["_embedded"] = {ITEM: [_item(line.line_id, line.sku, line.quantity) for line in order.lines]}
    return written | {"_links": {"self": {"href": f"/orders/{order.order_id}"}}}


def write_package(order: Order, package: Package, *, shows_tracking: bool) -> dict[str, Any]:
    """Return a package; its contents name the lines by id."""
    ids = {line.sku: line.line_id for line in order.lines}
    return {
        "packageId": package.package_id,
        "trackingNumber": package.tracking if shows_tracking else "",
        "packageContents": [{"orderItemId": ids.get(sku, 0), "qty": quantity} for sku, quantity in package.lines],
    }


def write_tracking_row(order: Order, package: Package, switches: Switches) -> dict[str, Any]:
    """Return a row of the tracking report."""
    return {
        "orderId": order.order_id,
        "referenceNum": order.number,
        "poNum": order.received.get("poNum"),
        "packageId": package.package_id,
        "carrier": package.carrier,
        "carrierService": package.method,
        "trackingNumber": package.tracking,
        "trackingUrl": package.url,
        "deliveryStatus": "InTransit",
        "shipDate": local(package.shipped_at, switches),
        "deliveryDate": None,
    }


def to_pascal(content: Any) -> Any:
    """Return the form that clients get who accept plain JSON."""
    if isinstance(content, Mapping):
        written: dict[str, Any] = {}
        for name, value in content.items():
            if name == "_embedded":
                written |= {PASCAL_NAMES[rel]: to_pascal(rows) for rel, rows in value.items()}
            elif name != "_links":
                written[name[0].upper() + name[1:]] = to_pascal(value)
        return written
    return [to_pascal(item) for item in content] if isinstance(content, list) else content


def _chooser(details: set[str]) -> Callable[[str], bool]:
    return lambda name: "all" in details or name in details


def _read_only(order: Order, switches: Switches, has: Callable[[str], bool]) -> dict[str, Any]:
    ended = order.cancelled_at or order.shipped_at
    written = {
        "orderId": order.order_id,
        "isClosed": is_closed(order, switches),
        "fullyAllocated": True,
        "customerIdentifier": CUSTOMER,
        "facilityIdentifier": FACILITY,
        "creationDate": local(order.created_at, switches),
        "lastModifiedDate": local(order.updated_at, switches),
        "processDate": local(ended, switches),
        "shipDate": local(order.packages[0].shipped_at if order.packages else None, switches),
        "smallParcelShipDate": NO_DATE,
        "onHoldDate": local(order.held_at, switches),
        "warehouseTransactionSourceType": 7,
    }
    if switches.shows_status:
        written["status"] = status_of(order)
    if has("packages"):
        shows = "packages" in switches.tracking_places
        written["packages"] = [write_package(order, package, shows_tracking=shows) for package in order.packages]
    return written


def _item(line_id: int, sku: str, quantity: int) -> dict[str, Any]:
    return {
        "readOnly": {"orderItemId": line_id, "fullyAllocated": True},
        "itemIdentifier": {"sku": sku, "id": line_id % 1000},
        "qty": float(quantity),
    }


def _return_elements(order: Order) -> list[dict[str, Any]]:
    """The numbers of the return labels, which are no tracking numbers of the box."""
    returns = ",".join(package.return_tracking or "" for package in order.packages)
    return [{"name": "SmallParcelReturnTrackingNumbers", "value": returns}] if returns else []
