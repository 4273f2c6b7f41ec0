"""When a box should leave, and from when it may go to the warehouse: one row for each billing type and basis.

For `standard` billing, `adjusted_ordered_at` is only a place inside the batch: the box leaves after the batch ends
(Cratejoy: "Figuring out what to ship and when"). The basis `adjusted_ordered_at` does as Extensiv's settings page says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.core.fulfilment import BillingType
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.settings import DAY_S, FulfilmentSettings

DAY_US = DAY_S * 1_000_000


@dataclass(frozen=True, slots=True)
class DueRule:
    """Where the target date is, and how many days before it the box may go. `days_ahead` None: at once."""

    get_target: Callable[[Shipment], int | None]
    days_ahead: Callable[[FulfilmentSettings], int] | None
    missing: str  # the reason if there is no target date


@dataclass(frozen=True, slots=True)
class DueDate:
    """`target_at`: when the box should leave. `due_at`: from when it may go to the warehouse. Both µs."""

    target_at: int | None
    due_at: int | None
    missing: str = ""  # why there is no date


def _get_adjusted(shipment: Shipment) -> int | None:
    return shipment.adjusted_ordered_at


def _get_batch_end(shipment: Shipment) -> int | None:
    return shipment.batch.ends_at if shipment.batch else None


def _get_future_days(settings: FulfilmentSettings) -> int:
    return settings.future_days


def _get_early_days(settings: FulfilmentSettings) -> int:
    return settings.standard_early_days


BY_BATCH_END, BY_ADJUSTED = "batch_end", "adjusted_ordered_at"
RULES: dict[tuple[BillingType, str], DueRule] = {
    ("ecom", BY_BATCH_END): DueRule(_get_adjusted, None, "missing_date"),
    ("ecom", BY_ADJUSTED): DueRule(_get_adjusted, None, "missing_date"),
    ("adhoc", BY_BATCH_END): DueRule(_get_adjusted, _get_future_days, "missing_date"),
    ("adhoc", BY_ADJUSTED): DueRule(_get_adjusted, _get_future_days, "missing_date"),
    ("standard", BY_BATCH_END): DueRule(_get_batch_end, _get_early_days, "batch_missing"),
    ("standard", BY_ADJUSTED): DueRule(_get_adjusted, _get_future_days, "missing_date"),
}


def find_due_date(shipment: Shipment, billing_type: BillingType, settings: FulfilmentSettings) -> DueDate:
    """Return when the box should leave and when it may go to the warehouse.

    A one-off order may go at once, even if its date is missing or in the future.
    """
    rule = RULES[billing_type, settings.standard_date_basis]
    target = rule.get_target(shipment)
    if rule.days_ahead is None:
        return DueDate(target if target is not None else shipment.created_at, 0)
    if target is None:
        return DueDate(None, None, rule.missing)
    return DueDate(target, target - rule.days_ahead(settings) * DAY_US)
