"""What a warehouse's report of parcels shows, and which tracking number Cratejoy is given: it has room for one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline.core.fulfilment import Package, State, WarehouseOrder
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.tracking_numbers import normalize_tracking_number
from pipeline.fulfilment.settings import FulfilmentSettings

NO_TRACKING_GRACE_US = 24 * 60 * 60 * 1_000_000


def see_packages(
    reported: WarehouseOrder,
    state: State,
    known: Collection[str],
    settings: FulfilmentSettings,
    now: int,
    *,
    shipped_since: int | None = None,
) -> Seen | None:
    """Return what a report shows, or None: nothing has left yet.

    `known`: the tracking numbers that the ledger had before. `shipped_since` (µs): when the warehouse first said
    shipped. Quantities are no part of it: warehouses over-ship and leave lines out (Cart API samples).
    """
    if reported.progress == "cancelled":
        return Seen.WAREHOUSE_CANCELLED
    if reported.progress == "stopped":
        return Seen.WAREHOUSE_STOPPED
    numbers = list_tracking_numbers(reported.packages)
    if reported.progress == "shipped" and not numbers:
        return _see_missing_tracking(settings, now, shipped_since)
    if not numbers or reported.progress == "open":  # a label that was printed has not left
        return None
    if state is State.CONFIRMED and not set(numbers) <= set(map(normalize_tracking_number, known)):
        return Seen.EXTRA_PACKAGE
    return Seen.COMPLETE if reported.progress == "shipped" else Seen.PARTIAL


def _see_missing_tracking(settings: FulfilmentSettings, now: int, shipped_since: int | None) -> Seen:
    if shipped_since is None or now - shipped_since < NO_TRACKING_GRACE_US:
        return Seen.WITHOUT_TRACKING
    return Seen.COMPLETE if settings.confirm_without_tracking else Seen.TRACKING_OVERDUE


def list_tracking_numbers(packages: Sequence[Package]) -> list[str]:
    """Return the numbers, each once, in the order in which the parcels left."""
    numbers = (normalize_tracking_number(package.tracking_number) for package in sort_packages(packages))
    return list(dict.fromkeys(filter(None, numbers)))


def sort_packages(packages: Sequence[Package]) -> list[Package]:
    """Return the parcels by when they left, those without a time last, then by number: the first is the primary one."""
    return sorted(
        packages,
        key=lambda package: (
            package.shipped_at is None,
            package.shipped_at or 0,
            normalize_tracking_number(package.tracking_number),
        ),
    )
