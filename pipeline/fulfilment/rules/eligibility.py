"""Whether a box may go to the warehouse, and why not: the first rule that speaks decides.

The order of the rules: what leaves a box out for good comes before what is waited for, and that before what a person
has to look at, so that no person is asked about a box that is not due.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from pipeline.core.fulfilment import BillingType, State
from pipeline.fulfilment.rules.cooling_off import find_cooling_off_end
from pipeline.fulfilment.rules.due_dates import DueDate, find_due_date
from pipeline.fulfilment.rules.reasons import RELEASABLE
from pipeline.fulfilment.rules.search_windows import is_switched_on
from pipeline.fulfilment.rules.shipment import Shipment, find_billing_type, find_subscriptions
from pipeline.fulfilment.rules.skus import is_wanted
from pipeline.fulfilment.settings import FulfilmentSettings


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a shipment is at this moment: DISCOVERED, HELD, SKIPPED or READY, with the reason for all but the last."""

    state: State
    reason: str = ""
    until: int | None = None  # µs: when it ends by itself; None: not by time
    target_at: int | None = None  # µs: when the box should leave
    due_at: int | None = None  # µs: from when it may go to the warehouse; 0: at once


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rules look at."""

    shipment: Shipment
    settings: FulfilmentSettings
    now: int
    billing_type: BillingType
    due: DueDate
    first_seen_at: int


def judge(
    shipment: Shipment,
    settings: FulfilmentSettings,
    now: int,
    *,
    first_seen_at: int | None = None,
    released: Collection[str] = (),
) -> Verdict:
    """Return what a shipment is. `now`, `first_seen_at`: µs. `released`: the reasons that a person has overruled.

    A row of a list shows no payment, and perhaps not the whole address: where that says READY, a reading by id may say
    otherwise. `build_order` finds the holds of SKUs, ship codes and addresses; `evaluate` in `order.py` does both.
    """
    if verdict := _judge_status(shipment):
        return verdict
    billing_type = find_billing_type(shipment)
    if billing_type is None:
        return Verdict(State.DISCOVERED, "billing_type_unknown")
    due = find_due_date(shipment, billing_type, settings)
    seen_at = now if first_seen_at is None else first_seen_at
    case = _Case(shipment, settings, now, billing_type, due, seen_at)
    overruled = RELEASABLE.intersection(released)
    for rule in _RULES:
        verdict = rule(case)
        if verdict and verdict.reason not in overruled:
            return replace(verdict, target_at=due.target_at, due_at=due.due_at)
    return Verdict(State.READY, "", None, due.target_at, due.due_at)


def _judge_status(shipment: Shipment) -> Verdict | None:
    return {
        "unshipped": None,
        "cancelled": Verdict(State.SKIPPED, "cancelled_before_load"),
        "shipped": Verdict(State.SKIPPED, "already_shipped"),
    }.get(shipment.status, Verdict(State.HELD, "unknown_status"))


def _check_test(case: _Case) -> Verdict | None:
    is_left_out = case.shipment.is_test and not case.settings.load_test_shipments
    return Verdict(State.SKIPPED, "test_shipment") if is_left_out else None


def _check_type(case: _Case) -> Verdict | None:
    is_on = is_switched_on(case.billing_type, case.settings)
    return None if is_on else Verdict(State.SKIPPED, "type_disabled")


def _check_age(case: _Case) -> Verdict | None:
    target = case.due.target_at
    is_old = target is not None and target < case.settings.earliest_order_at
    return Verdict(State.SKIPPED, "too_old") if is_old else None


def _check_items(case: _Case) -> Verdict | None:
    if not case.shipment.items:
        return Verdict(State.HELD, "missing_lines")
    if not case.shipment.open_items:
        return Verdict(State.SKIPPED, "all_lines_cancelled")
    if not any(is_wanted(item.sku, case.settings) for item in case.shipment.open_items):
        return Verdict(State.SKIPPED, "all_lines_filtered")
    return None


def _check_date(case: _Case) -> Verdict | None:
    return Verdict(State.HELD, case.due.missing) if case.due.missing else None


def _check_due(case: _Case) -> Verdict | None:
    due_at = case.due.due_at
    is_early = due_at is not None and due_at > case.now
    return Verdict(State.DISCOVERED, "not_due", due_at) if is_early else None


def _check_payment(case: _Case) -> Verdict | None:
    """All orders behind the box have to be paid; a list does not show it."""
    statuses = [item.order.financial_status if item.order else "" for item in case.shipment.open_items]
    is_unpaid = any(status != "paid" and (status or case.shipment.is_whole) for status in statuses)
    return Verdict(State.HELD, "unpaid") if is_unpaid else None


def _check_subscriptions(case: _Case) -> Verdict | None:
    if case.billing_type == "ecom" or not case.settings.require_active_subscription:
        return None
    found = find_subscriptions(case.shipment)
    is_inactive = any(one.status != "active" and (one.status or case.shipment.is_whole) for one in found)
    return Verdict(State.HELD, "subscription_not_active") if is_inactive else None


def _check_cooling_off(case: _Case) -> Verdict | None:
    end = find_cooling_off_end(case.shipment, case.billing_type, case.settings, case.first_seen_at)
    return Verdict(State.DISCOVERED, "cooling_off", end) if end is not None and end > case.now else None


_RULES: tuple[Callable[[_Case], Verdict | None], ...] = (
    _check_test,
    _check_type,
    _check_age,
    _check_items,
    _check_date,
    _check_due,
    _check_payment,
    _check_subscriptions,
    _check_cooling_off,
)
