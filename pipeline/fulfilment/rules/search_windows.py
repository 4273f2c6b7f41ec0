"""Which of Cratejoy's shipments are asked for: by billing type and by `adjusted_ordered_at`, each run and once a day.

Reading too much is harmless, since the ledger knows every shipment. Reading too little loses a box: hence the overlap,
the span of a batch (the date of a `standard` box lies inside a batch that ends later), and the full sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from pipeline.core.fulfilment import BillingType
from pipeline.fulfilment.rules.due_dates import BY_BATCH_END, DAY_US
from pipeline.fulfilment.settings import FulfilmentSettings

OVERLAP_US = 2 * DAY_US
SWEEP_EVERY_US = DAY_US
CANCELS_SPAN_US = 90 * DAY_US
BILLING_TYPES: tuple[BillingType, ...] = get_args(BillingType)


@dataclass(frozen=True, slots=True)
class Window:
    """One search: the shipments of a status and a billing type with `since <= adjusted_ordered_at <= until`, in µs."""

    status: str
    since: int
    until: int | None  # None: no upper bound
    billing_type: BillingType | None = None  # None: every one


def is_sweep_due(watermark: int | None, last_sweep_at: int | None, now: int, *, has_failed: bool) -> bool:
    """Return whether this run reads everything: the first run, the one after a failed run, and one run a day.

    `watermark`: the start of the last run of this search that read and stored everything. `has_failed`: the last one
    did not. What lies in the future was written before the clock was set back: nothing is known of the time since.
    """
    if watermark is None or last_sweep_at is None or has_failed or max(watermark, last_sweep_at) > now:
        return True
    return now - last_sweep_at >= SWEEP_EVERY_US


def find_window(billing_type: BillingType, settings: FulfilmentSettings, watermark: int | None, now: int) -> Window:
    """Return the search of one run for unshipped boxes. `watermark` None: a full sweep since the earliest date."""
    days = max(settings.future_days, settings.standard_early_days)
    until = None if billing_type == "ecom" else now + days * DAY_US
    span = settings.batch_span_days * DAY_US if _lies_in_batch(billing_type, settings) else 0
    since = settings.earliest_order_at
    if watermark is not None:
        since = max(since, watermark - OVERLAP_US)
    return Window("unshipped", since - span, until, billing_type)


def find_cancels_window(now: int) -> Window:
    """Return the search for cancelled shipments: Cratejoy has no filter for when they were cancelled."""
    return Window("cancelled", now - CANCELS_SPAN_US, now + CANCELS_SPAN_US)


def is_switched_on(billing_type: BillingType, settings: FulfilmentSettings) -> bool:
    """Return whether the store sends boxes of this billing type."""
    return {
        "ecom": settings.pull_ecommerce,
        "adhoc": settings.pull_adhoc,
        "standard": settings.pull_standard,
    }[billing_type]


def _lies_in_batch(billing_type: BillingType, settings: FulfilmentSettings) -> bool:
    return billing_type == "standard" and settings.standard_date_basis == BY_BATCH_END
