"""What the vendors leave open, or do in several ways, as switches: their names, values and defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Switches:
    """How the warehouse behaves. Where the documentation is silent, the default is the stricter reading."""

    # Every protocol
    auto_ship_s: float | None = None  # picks, packs and ships by itself within this time; None: only when asked
    cancel_until: str = "pick"  # the step after which a cancel is refused
    cancels: str = "accept"  # "refuse": an operator refuses every cancel
    cancel_takes_s: float = (
        0.0  # an accepted cancel has its effect this much later; a box shipped by then stays shipped
    )
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


class UnknownSwitch(ValueError):
    """The requested switch or value does not exist."""


def _one_of(*choices: object) -> Callable[[object], bool]:
    return lambda value: any(value == choice and type(value) is type(choice) for choice in choices)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


TRACKING_PLACES = ("parcel", "packages", "package_list", "routing")

ALLOWED: Mapping[str, Callable[[object], bool]] = {
    "auto_ship_s": lambda value: value is None or _seconds(value),
    "cancel_until": _one_of("pick", "pack", "ship"),
    "cancels": _one_of("accept", "refuse"),
    "cancel_takes_s": _seconds,
    "visible_after_s": _seconds,
    "refuse_duplicates": _flag,
    "unknown_skus": _texts,
    "delivery_s": _seconds,
    "legacy_cancel_s": _seconds,
    "bucket_calls": lambda value: _is_number(value) and value >= 1,  # type: ignore[operator]
    "bucket_refill_s": _seconds,
    "error_text": _one_of("message", "status_message", "error_response"),
    "countries": _one_of("alpha3", "any"),
    "normalises_addresses": _flag,
    "token_s": _seconds,
    "cancelled_is_closed": _flag,
    "shows_status": _flag,
    "allows_rql_in": _flag,
    "has_tracking_report": _flag,
    "has_order_write": _flag,
    "weak_etags": _flag,
    "tracking_places": lambda value: _texts(value) and set(value) <= set(TRACKING_PLACES),  # type: ignore[call-overload]
    "utc_offset_h": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "is_endpoint_off": _flag,
    "created_status": _one_of(200, 201, 202),
}


def apply_switches(switches: Switches, wanted: Mapping[str, Any]) -> Switches:
    """Return the switches with the requested changes, or refuse all of them."""
    for name, value in wanted.items():
        if name not in ALLOWED:
            raise UnknownSwitch(f"there is no switch {name!r}; there are {', '.join(ALLOWED)}")
        if not ALLOWED[name](value):
            raise UnknownSwitch(f"switch {name!r} cannot be {value!r}")
    changes: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}
    return replace(switches, **changes)
