"""Which lanes of a store's fulfilment have something to do now. A lane is worked on by one worker at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import BillingType, State
from pipeline.core.fulfilment_files import FILE_ADAPTERS
from pipeline.fulfilment.rules.search_windows import is_switched_on
from pipeline.fulfilment.settings import FulfilmentSettings
from pipeline.fulfilment.steps.pull import CANCELS, get_job
from pipeline.fulfilment.steps.settle import SECOND_US
from pipeline.fulfilment.steps.tracking import JOB as TRACKING
from pipeline.fulfilment.stored_settings import load_settings
from pipeline.ledger.fulfilment.orders import (
    has_due_order,
    list_stuck_orders,
    list_to_acknowledge,
    list_to_update,
)
from pipeline.ledger.fulfilment.runs import find_last_run
from pipeline.ledger.fulfilment.warehouses import KEYS_UNUSABLE, LIVE, WarehouseRow
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from pipeline.settings import Settings

Lane = Literal["pull_ecom", "pull_adhoc", "pull_standard", "cancels", "tracking", "deliver", "confirm"]
PULL_LANES: dict[Lane, BillingType] = {"pull_ecom": "ecom", "pull_adhoc": "adhoc", "pull_standard": "standard"}
RETRY_US = 60 * SECOND_US  # after a run that failed


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often lists are searched, and how soon a worker counts as gone, in µs."""

    pull_us: int
    tracking_us: int
    stuck_us: int

    @classmethod
    def of(cls, settings: Settings) -> Intervals:
        """Those of the installation."""
        seconds = (
            settings.fulfilment_pull_seconds,
            settings.fulfilment_tracking_seconds,
            settings.fulfilment_stuck_seconds,
        )
        return cls(*(round(one * SECOND_US) for one in seconds))


USUAL = Intervals(300 * SECOND_US, 900 * SECOND_US, 600 * SECOND_US)


def list_due_lanes(conn: Connection, row: WarehouseRow, now: int, every: Intervals = USUAL) -> list[Lane]:
    """The lanes with something to do. In dry run boxes are only found and looked at, as while keys are refused."""
    if row.trouble == KEYS_UNUSABLE:
        return []
    try:
        settings = load_settings(row.settings)
    except Misconfigured:
        return []  # no date yet: nothing is asked before a person has named one
    api = find_store_api(conn, row.store_id)
    if api is None or api.status != ACTIVE:
        return []
    return list(_find_due(conn, row, settings, now, every))


def _find_due(
    conn: Connection, row: WarehouseRow, settings: FulfilmentSettings, now: int, every: Intervals
) -> Iterator[Lane]:
    for lane, billing_type in PULL_LANES.items():
        if is_switched_on(billing_type, settings) and _is_job_due(conn, row, get_job(billing_type), every.pull_us, now):
            yield lane
    if _is_job_due(conn, row, CANCELS, every.pull_us, now):
        yield "cancels"
    if _has_work(conn, row, now, every):
        yield "deliver"
    if row.mode != LIVE:
        return
    can_call = row.is_called and row.wait_until <= now
    if can_call and _is_job_due(conn, row, TRACKING, every.tracking_us, now):
        yield "tracking"
    leaving = {State.SHIPPED, *([State.PARTIALLY_SHIPPED] if settings.partial_policy == "first_package" else [])}
    if (
        has_due_order(conn, row.store_id, leaving, now)
        or list_to_update(conn, row.store_id, now, 1)
        or (can_call and list_to_acknowledge(conn, row.store_id, now, 1))
        or list_stuck_orders(conn, row.store_id, {State.CONFIRMING}, now, every.stuck_us)
    ):
        yield "confirm"


def _is_job_due(conn: Connection, row: WarehouseRow, job: str, every_us: int, now: int) -> bool:
    last = find_last_run(conn, row.store_id, job)
    if last is None:
        return True
    if last.ended_at is None and last.cursor is not None:
        return True  # it waits for the budget of requests
    has_failed = last.ended_at is not None and not last.is_ok
    wait_us = min(RETRY_US, every_us) if has_failed else every_us
    return abs(now - last.started_at) >= wait_us  # further in the future: the clock was set back


def _has_work(conn: Connection, row: WarehouseRow, now: int, every: Intervals) -> bool:
    """Whether boxes became due, or are to be given to the warehouse, or looked up there."""
    if has_due_order(conn, row.store_id, {State.DISCOVERED}, now):
        return True
    if not row.is_called or row.wait_until > now:
        return False
    doing = {State.UNKNOWN, State.CANCEL_REQUESTED}
    doing |= {State.READY} if row.is_live and row.adapter not in FILE_ADAPTERS else set()
    return has_due_order(conn, row.store_id, doing, now) or bool(
        list_stuck_orders(conn, row.store_id, {State.SENDING}, now, every.stuck_us)
    )
