"""Orders as the REST API shows them, in HAL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipeline.core.fulfilment import Content, Package, Progress, WarehouseOrder
from pipeline.warehouses.dates import parse_time
from pipeline.warehouses.json_texts import as_object, as_rows, as_text

_CLOSED, _CANCELLED = 1, 2
# One client finds several numbers in one field, a line each.
_BETWEEN_NUMBERS = re.compile(r"[,;|\s]+")
_SHIP_DATES = ("smallParcelShipDate", "shipDate", "processDate")


def read_rows(body: Mapping[str, Any] | None, relation: str) -> list[Mapping[str, Any]] | None:
    """Return the rows of a list, or None if it is none: a list without rows is empty only if it counts none.

    A service that is asked for another format answers with other names, and would look empty.
    """
    if body is None:
        return None
    embedded = body.get("_embedded")
    if isinstance(embedded, dict):
        for name, rows in embedded.items():
            if name.lower().endswith(f"/rels/{relation}") and isinstance(rows, list):
                return [row for row in rows if isinstance(row, dict)]
    return [] if body.get("totalResults") == 0 else None


def parse_order(row: Mapping[str, Any], version: str = "") -> WarehouseOrder | None:
    """Return the order, or None if the row has no id or no number."""
    shown = as_object(row.get("readOnly"))
    number, order_id = as_text(row.get("referenceNum")), as_text(shown.get("orderId"))
    if not number or not order_id:
        return None
    packages = _parse_packages(row, shown)
    progress = _parse_progress(shown)
    return WarehouseOrder(
        number,
        order_id,
        "partial" if progress == "open" and packages else progress,
        packages,
        _parse_content(row),
        version=version,
        note="on_hold" if parse_time(shown.get("onHoldDate")) else "",
    )


def add_packages(order: WarehouseOrder, row: Mapping[str, Any], found: list[Mapping[str, Any]]) -> WarehouseOrder:
    """Return the order with the packages of their own list, `GET /orders/{id}/packages`."""
    numbers = {number: package for package in found for number in split_numbers(package.get("trackingNumber"))}
    return replace(order, packages=tuple(_build_package(row, number, one) for number, one in numbers.items()))


def split_numbers(value: Any) -> list[str]:
    """Return the tracking numbers of a field, in upper case."""
    return [number.upper() for number in _BETWEEN_NUMBERS.split(value) if number] if isinstance(value, str) else []


def _parse_progress(shown: Mapping[str, Any]) -> Progress:
    """A cancelled order may count as closed, too, so that is looked at first; some answers have no status."""
    status = shown.get("status")
    if status == _CANCELLED:
        return "cancelled"
    is_closed = shown.get("isClosed") is True if status is None else status == _CLOSED
    return "shipped" if is_closed else "open"


def _parse_packages(row: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[Package, ...]:
    """Return a package for each number in any place, in the order of the places. Return labels are not ours."""
    by_number = {
        number: package
        for package in as_rows(shown.get("packages"))
        for number in split_numbers(package.get("trackingNumber"))
    }
    parcels = as_object(row.get("parcelResponse")).get("trackingNumbers")
    places: tuple[Iterable[str], ...] = (
        (number for value in parcels for number in split_numbers(value)) if isinstance(parcels, list) else (),
        by_number,
        split_numbers(as_object(row.get("routingInfo")).get("trackingNumber")),
    )
    numbers = dict.fromkeys(number for place in places for number in place)
    return tuple(_build_package(row, number, by_number.get(number)) for number in numbers)


def _build_package(row: Mapping[str, Any], number: str, package: Mapping[str, Any] | None) -> Package:
    routing, shown = as_object(row.get("routingInfo")), as_object(row.get("readOnly"))
    dates = (parse_time(shown.get(name)) for name in _SHIP_DATES)
    return Package(
        number,
        as_text(routing.get("carrier")),
        as_text(routing.get("mode")),
        shipped_at=next((date for date in dates if date is not None), None),
        lines=_parse_package_lines(row, package or {}),
    )


def _parse_package_lines(row: Mapping[str, Any], package: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    skus = {as_text(as_object(item.get("readOnly")).get("orderItemId")): _sku(item) for item in _read_items(row) or ()}
    contents = ((as_text(one.get("orderItemId")), one.get("qty")) for one in as_rows(package.get("packageContents")))
    return tuple((skus[item_id], _whole(quantity)) for item_id, quantity in contents if item_id in skus)


def _parse_content(row: Mapping[str, Any]) -> Content | None:
    items, to = _read_items(row), row.get("shipTo")
    if items is None or not isinstance(to, dict):
        return None
    lines = tuple(sorted((_sku(item), _whole(item.get("qty"))) for item in items))
    return Content(lines, as_text(to.get("zip")), as_text(to.get("name")) or as_text(to.get("companyName")))


def _read_items(row: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Return the lines, or None if the answer does not show them."""
    for holder in (as_object(row.get("_embedded")), row):
        for name, value in _iter_lists(holder):
            if name.lower().endswith("/rels/orders/item") or name == "orderItems":
                return value
    return None


def _iter_lists(holder: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    yield from ((name, as_rows(value)) for name, value in holder.items() if isinstance(value, list))


def _sku(item: Mapping[str, Any]) -> str:
    return as_text(as_object(item.get("itemIdentifier")).get("sku"))


def _whole(value: Any) -> int:
    return round(value) if isinstance(value, int | float) else 0
