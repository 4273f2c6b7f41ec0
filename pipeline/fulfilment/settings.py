"""What a seller decides about the fulfilment of a store, and the defaults. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

HOUR_S, DAY_S = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class ShipCode:
    """A ship code of the warehouse: carrier and method, or one code."""

    code: str
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Wave:
    """A part of a batch that is packed apart: boxes of which all that is named is true."""

    name: str
    gift: bool | None = None
    countries: tuple[str, ...] = ()  # alpha-2
    variants: tuple[str, ...] = ()  # one of them, such as "Size: Large" or "Large"


@dataclass(frozen=True, slots=True)
class FulfilmentSettings:
    """Names as Extensiv's Cratejoy settings have them, where they have one."""

    earliest_order_at: int  # µs: older shipments are never sent; the seller has to name it
    pull_ecommerce: bool = True
    pull_adhoc: bool = True
    pull_standard: bool = True
    future_days: int = 7
    standard_date_basis: Literal["batch_end", "adjusted_ordered_at"] = "batch_end"
    standard_early_days: int = 0
    batch_span_days: int = 62  # how long a batch may be: so far before its end a box's `adjusted_ordered_at` may lie
    require_active_subscription: bool = True
    load_test_shipments: bool = False
    sku_suffix: Literal["none", "yymm", "year_week", "cycle"] = "none"
    sku_aliases: dict[str, str] = field(default_factory=dict)
    item_filter: Literal["none", "allow", "deny"] = "none"
    item_filter_skus: tuple[str, ...] = ()
    ship_code_mode: Literal["order_type", "shipping_charge"] = "order_type"
    ship_code_map: dict[str, ShipCode] = field(default_factory=dict)
    reject_unmapped_ship_codes: bool = False
    send_cancel: bool = True
    partial_policy: Literal["hold", "first_package"] = "hold"
    multi_tracking: Literal["primary", "joined"] = "primary"
    confirm_without_tracking: bool = False
    update_tracking_after_confirm: bool = False
    lookup_before_create: bool = True
    country_format: Literal["adapter_default", "alpha2", "alpha3"] = "adapter_default"
    cancel_if_externally_shipped: bool = False
    # Cratejoy may refund and cancel inside this time.
    cooling_off_signup_s: int = 2 * HOUR_S
    cooling_off_renewal_s: int = 48 * HOUR_S
    confirm_after_s: int = 0  # how long after the shipping Cratejoy is written to, and so writes to the customer
    confirm_at_minute: int | None = None  # or at which minute of the day, in the store's time zone
    time_zone: str = "UTC"
    waves: tuple[Wave, ...] = ()  # the first that a box belongs to
    no_tracking_days: int = 5  # after how many days at the warehouse an order is listed as without tracking
