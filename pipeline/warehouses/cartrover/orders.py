"""Orders as the Cart API shows them. Unset values are null there, and many numbers are strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.core.fulfilment import Content, Package, Progress, WarehouseOrder
from pipeline.warehouses.dates import parse_time

_PROGRESS: Mapping[str, Progress] = {
    "new": "open",
    "at_wms": "open",
    "error": "open",
    "partial": "partial",
    "shipped": "shipped",
    "confirmed": "shipped",
    "canceled": "cancelled",
}


def parse_order(row: Mapping[str, Any]) -> WarehouseOrder | None:
    """Return the order, or None if the row has no number. A read of the status alone shows no content."""
    number, status = _text(row.get("cust_ref")), _text(row.get("order_status")).lower()
    if not number:
        return None
    progress = "cancelled" if _is_yes(row.get("sending_canceled")) else _PROGRESS.get(status, "open")
    if progress == "shipped" and (parse_number(row.get("num_to_ship")) or 0) > 0:
        progress = "partial"
    return WarehouseOrder(
        number,
        number,
        progress,
        tuple(package for shipment in _rows(row.get("shipments")) if (package := _parse_package(shipment))),
        _parse_content(row),
        note=_note(status, is_on_hold=_is_yes(row.get("on_hold"))),
    )


def parse_number(value: Any) -> int | None:
    """Return a whole number that may be written as a string, or None."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def has_status(row: Mapping[str, Any]) -> bool:
    """Return whether the row says how far the order is; a full read need not."""
    return bool(_text(row.get("order_status")))


def _note(status: str, *, is_on_hold: bool) -> str:
    """Return the status where it is an error, or one that is not known; else whether the order is on hold."""
    if status == "error" or (status and status not in _PROGRESS):
        return status
    return "on_hold" if is_on_hold else ""


def _parse_package(row: Mapping[str, Any]) -> Package | None:
    number = _text(row.get("tracking_no")) or _text(row.get("tracking_no_secondary"))
    if not number:
        return None
    return Package(
        "".join(number.split()).upper(),
        _text(row.get("carrier")),
        _text(row.get("method")),
        _text(row.get("tracking_url")),
        parse_time(row.get("date")),
        _parse_lines(row.get("items")),
    )


def _parse_content(row: Mapping[str, Any]) -> Content | None:
    if "ship_zip" not in row or not isinstance(row.get("items"), list):
        return None
    name = f"{_text(row.get('ship_first_name'))} {_text(row.get('ship_last_name'))}".strip()
    return Content(_parse_lines(row["items"]), _text(row["ship_zip"]), name)


def _parse_lines(value: Any) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((_text(row.get("item")), parse_number(row.get("quantity")) or 0) for row in _rows(value)))


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _is_yes(value: Any) -> bool:
    return _text(value).upper() == "Y"


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""
