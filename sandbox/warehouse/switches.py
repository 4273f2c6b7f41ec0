"""What the vendors leave open, or do in several ways, as switches: their names, values and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.switch_rules import Rule, check_switches, is_flag, is_whole_number, one_of


@dataclass(frozen=True, slots=True)
class Switches:
    """How the warehouse behaves. Where the documentation is silent, the default is the stricter reading."""

    # Every protocol
    auto_ship_s: float | None = None  # picks, packs and ships by itself within this time; None: only when asked
    cancel_until: str = "pick"  # the step after which a cancel is refused
    cancels: str = "accept"  # "refuse": an operator refuses every cancel
    cancel_takes_s: float = 0.0  # an accepted cancel has its effect so much later; a box shipped by then stays so
    visible_after_s: float = 0.0  # a new order appears in look-ups this much later
    refuse_duplicates: bool = True  # False: the warehouse takes the same order number again
    unknown_skus: tuple[str, ...] = ()
    # CartRover
    delivery_s: float = 0.0  # how long an order is `new` before it is `at_wms`
    legacy_cancel_s: float = 180.0
    bucket_calls: int = 100
    bucket_refill_s: float = 0.6
    error_text: str = "message"
    countries: str = "alpha3"
    normalises_addresses: bool = True
    # 3PL Warehouse Manager
    token_s: int = 3600
    cancelled_is_closed: bool = False
    shows_status: bool = True
    allows_rql_in: bool = True
    has_tracking_report: bool = True
    has_order_write: bool = True
    weak_etags: bool = False
    tracking_places: tuple[str, ...] = ("parcel", "packages", "routing")
    utc_offset_h: int = 0
    # The signed web hook
    is_endpoint_off: bool = False
    created_status: int = 201


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


TRACKING_PLACES = ("parcel", "packages", "package_list", "routing")

ALLOWED: Mapping[str, Rule] = {
    "auto_ship_s": lambda value: value is None or _seconds(value),
    "cancel_until": one_of("pick", "pack", "ship"),
    "cancels": one_of("accept", "refuse"),
    "cancel_takes_s": _seconds,
    "visible_after_s": _seconds,
    "refuse_duplicates": is_flag,
    "unknown_skus": _texts,
    "delivery_s": _seconds,
    "legacy_cancel_s": _seconds,
    "bucket_calls": lambda value: _is_number(value) and value >= 1,  # type: ignore[operator]
    "bucket_refill_s": _seconds,
    "error_text": one_of("message", "status_message", "error_response"),
    "countries": one_of("alpha3", "any"),
    "normalises_addresses": is_flag,
    "token_s": _seconds,
    "cancelled_is_closed": is_flag,
    "shows_status": is_flag,
    "allows_rql_in": is_flag,
    "has_tracking_report": is_flag,
    "has_order_write": is_flag,
    "weak_etags": is_flag,
    "tracking_places": lambda value: _texts(value) and set(value) <= set(TRACKING_PLACES),  # type: ignore[call-overload]
    "utc_offset_h": is_whole_number,
    "is_endpoint_off": is_flag,
    "created_status": one_of(200, 201, 202),
}


def apply_switches(switches: Switches, wanted: Mapping[str, Any]) -> Switches:
    """Return the switches with the requested changes, or refuse all of them."""
    check_switches(ALLOWED, wanted)
    changes: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}
    return replace(switches, **changes)
