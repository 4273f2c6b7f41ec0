"""Orders as the Cart API shows them. Unset values are null there, and many numbers are strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.core.fulfilment import Content, Package, Progress, WarehouseOrder
from pipeline.warehouses.dates import parse_time
from pipeline.warehouses.json_texts import as_rows, as_text

_PROGRESS: Mapping[str, Progress] = {
    "new": "open",
    "at_wms": "open",
    "error": "stopped",
    "partial": "partial",
    "shipped": "shipped",
    "confirmed": "shipped",
    "canceled": "cancelled",
}


def parse_order(row: Mapping[str, Any]) -> WarehouseOrder | None:
    """Return the order, or None if the row has no number. A read of the status alone shows no content."""
    number, status = as_text(row.get("cust_ref")), as_text(row.get("order_status")).lower()
    if not number:
        return None
    progress = "cancelled" if _is_yes(row.get("sending_canceled")) else _PROGRESS.get(status, "open")
    if progress == "shipped" and (parse_number(row.get("num_to_ship")) or 0) > 0:
        progress = "partial"
    return WarehouseOrder(
        number,
        number,
        progress,
        tuple(package for shipment in as_rows(row.get("shipments")) if (package := _parse_package(shipment))),
        _parse_content(row),
        note=_note(status, is_on_hold=_is_yes(row.get("on_hold"))),
        complaint=as_text(row.get("error_reason")) if status == "error" else "",
    )


def parse_number(value: Any) -> int | None:
    """Return a whole number that may be written as a string, or None."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def has_status(row: Mapping[str, Any]) -> bool:
    """Return whether the row says how far the order is; a full read need not."""
    return bool(as_text(row.get("order_status")))


def _note(status: str, *, is_on_hold: bool) -> str:
    """Return the status where it is an error, or one that is not known; else whether the order is on hold."""
    if status == "error" or (status and status not in _PROGRESS):
        return status
    return "on_hold" if is_on_hold else ""


def _parse_package(row: Mapping[str, Any]) -> Package | None:
    number = as_text(row.get("tracking_no")) or as_text(row.get("tracking_no_secondary"))
    if not number:
        return None
    return Package(
        "".join(number.split()).upper(),
        as_text(row.get("carrier")),
        as_text(row.get("method")),
        as_text(row.get("tracking_url")),
        parse_time(row.get("date")),
        _parse_lines(row.get("items")),
    )


def _parse_content(row: Mapping[str, Any]) -> Content | None:
    if "ship_zip" not in row or not isinstance(row.get("items"), list):
        return None
    name = f"{as_text(row.get('ship_first_name'))} {as_text(row.get('ship_last_name'))}".strip()
    return Content(_parse_lines(row["items"]), as_text(row["ship_zip"]), name)


def _parse_lines(value: Any) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((as_text(row.get("item")), parse_number(row.get("quantity")) or 0) for row in as_rows(value)))


def _is_yes(value: Any) -> bool:
    return as_text(value).upper() == "Y"
