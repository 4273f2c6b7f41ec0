"""Takes in what a warehouse says has left: parcels of boxes that we sent, and others, which are kept apart.

A parcel is looked up by the order number that was stored when the box was sent; no shipment is ever derived from a
number that is not known. All parts of the warehouse's list are read before anything is acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pipeline.core.errors import CratewireError, OrderChanged, Unreachable
from pipeline.core.fulfilment import Package, Progress, ShippedPage, State, WarehouseOrder
from pipeline.fulfilment.rules.decision.words import Action
from pipeline.fulfilment.rules.order_numbers import OrderNumber, format_order_number, parse_order_number
from pipeline.fulfilment.rules.packages import list_tracking_numbers, see_packages, sort_packages
from pipeline.fulfilment.rules.tracking_numbers import normalize_tracking_number
from pipeline.fulfilment.site import Site, log
from pipeline.fulfilment.steps.calls import note_trouble
from pipeline.fulfilment.steps.settle import Sighting, settle
from pipeline.infra import metrics
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import OrderRow, find_order, list_in_states
from pipeline.ledger.fulfilment.packages import add_packages, list_packages
from pipeline.ledger.fulfilment.quarantine import (
    ATTACHED,
    list_quarantined,
    quarantine_packages,
    settle_quarantined,
)
from pipeline.ledger.fulfilment.runs import begin_run, end_run

JOB = "tracking"
MAX_PARTS = 1_000  # of one list; a warehouse that never ends is in trouble
# What a warehouse may have something to say of.
WAITED_FOR = frozenset(
    {
        State.SENDING,
        State.UNKNOWN,
        State.AT_WAREHOUSE,
        State.PARTIALLY_SHIPPED,
        State.CANCEL_REQUESTED,
        State.CANCEL_REFUSED,
    }
)
_NEVER_SENT = (State.DISCOVERED, State.HELD, State.READY, State.SKIPPED)


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll brought. `error`: why it ended before the end of the list."""

    orders: int = 0
    changed: int = 0
    quarantined: int = 0
    foreign: int = 0
    error: str | None = None


def poll_tracking(site: Site) -> Polled:
    """Read the warehouse's list to its end, then take in every order of it."""
    with writing(site.engine) as conn:
        run = begin_run(conn, site.store_id, JOB, site.now())
        open_orders = [
            (row.order_number, row.external_id or "") for row in list_in_states(conn, site.store_id, WAITED_FOR)
        ]
    polled, pages = Polled(), 0
    try:
        orders, pages = _read_all(site, open_orders)
        polled = _take_all(site, orders)
    except CratewireError as error:
        polled = Polled(error=str(error))
    with writing(site.engine) as conn:
        end_run(conn, run, site.now(), pages=pages, rows=polled.orders, error=polled.error)
    retry_quarantined(site)
    return polled


def _read_all(site: Site, open_orders: Sequence[tuple[str, str]]) -> tuple[list[WarehouseOrder], int]:
    """Every part of the list. Raises Unreachable if one of them does not come."""
    orders: list[WarehouseOrder] = []
    cursor, pages = "", 0
    while pages < MAX_PARTS:
        answer = site.warehouse.list_shipped(open_orders, cursor)
        with writing(site.engine) as conn:
            note_trouble(conn, site, answer)
        if not isinstance(answer, ShippedPage):
            raise Unreachable(f"the warehouse's list was not read: {type(answer).__name__}")
        orders += answer.orders
        cursor, pages = answer.cursor, pages + 1
        if not cursor:
            return orders, pages
    raise Unreachable("the warehouse's list does not end")


def _take_all(site: Site, orders: Sequence[WarehouseOrder]) -> Polled:
    changed = quarantined = foreign = 0
    for order in orders:
        number = parse_order_number(order.order_number)
        if number is None:
            foreign += 1
            metrics.FOREIGN_TRACKING.inc()
            continue
        try:
            with writing(site.engine) as conn:
                taken, apart = take_report(conn, site, _spell(number), order, "poll")
        except OrderChanged:
            continue  # the next poll shows it again
        changed, quarantined = changed + taken, quarantined + apart
    return Polled(len(orders), changed, quarantined, foreign)


def take_report(
    conn: Connection, site: Site, order_number: str, reported: WarehouseOrder, source: str
) -> tuple[bool, int]:
    """Take in what a warehouse says of one order; returns whether its box changed, and how many parcels went apart."""
    row = find_order(conn, site.store_id, order_number)
    parcels = _normalize(reported.packages)
    is_complete = reported.progress == "shipped"
    if row is None:
        return False, quarantine_packages(
            conn, site.store_id, order_number, parcels, site.now(), is_complete=is_complete
        )
    known = [parcel.tracking_number for parcel in list_packages(conn, [row.id])]
    since = row.shipped_at
    seen = see_packages(reported, row.state, known, site.settings, site.now(), shipped_since=since)
    if seen is None:
        return False, 0
    sighting = Sighting(seen, detail={"source": source, "note": reported.note}, columns=_columns(site, row, reported))
    row_now, action = settle(conn, site, row, sighting)
    if action is Action.QUARANTINE:
        return False, quarantine_packages(
            conn, site.store_id, order_number, parcels, site.now(), is_complete=is_complete
        )
    if row_now.state not in _NEVER_SENT:
        added = add_packages(conn, row.id, parcels, source, site.now())
        if added and row_now.state is State.CONFIRMED and action is not Action.UPDATE_TRACKING:
            log.info("a further parcel of a confirmed box", store=site.store_id, order=row.id)
    return row_now.state is not row.state, 0


def _columns(site: Site, row: OrderRow, reported: WarehouseOrder) -> dict[str, Any]:
    """When the first parcel left, by the warehouse, or when it first said so."""
    times = [parcel.shipped_at for parcel in sort_packages(reported.packages) if parcel.shipped_at is not None]
    columns: dict[str, Any] = {"warehouse_checked_at": site.now()}
    if reported.external_id and not row.external_id:
        columns["external_id"] = reported.external_id
    if row.shipped_at is None and reported.progress in ("shipped", "partial"):
        has_numbers = bool(list_tracking_numbers(reported.packages))
        columns["shipped_at"] = min([*times, site.now()]) if has_numbers else site.now()
    return columns


def retry_quarantined(site: Site) -> int:
    """Attach what is kept apart and now has a box that was sent; returns how many parcels."""
    with reading(site.engine) as conn:
        apart = list_quarantined(conn, site.store_id)
        rows = {one.order_number: find_order(conn, site.store_id, one.order_number) for one in apart}
    attached = 0
    for number, row in rows.items():
        if row is None or row.state in _NEVER_SENT:
            continue
        kept = [one for one in apart if one.order_number == number]
        progress: Progress = "shipped" if any(one.is_complete for one in kept) else "partial"
        reported = WarehouseOrder(number, row.external_id or "", progress, tuple(one.package for one in kept))
        try:
            with writing(site.engine) as conn:
                _, again = take_report(conn, site, number, reported, "quarantine")
                if not again:
                    for one in kept:
                        attached += settle_quarantined(conn, one.id, ATTACHED, site.now())
        except OrderChanged:
            continue
    return attached


def _normalize(packages: Sequence[Package]) -> list[Package]:
    numbered = ((normalize_tracking_number(parcel.tracking_number), parcel) for parcel in packages)
    return [
        Package(number, parcel.carrier, parcel.method, parcel.url, parcel.shipped_at, parcel.lines)
        for number, parcel in numbered
        if number
    ]


def _spell(number: OrderNumber) -> str:
    """The number as it is stored: warehouses change its case."""
    return format_order_number(number)
