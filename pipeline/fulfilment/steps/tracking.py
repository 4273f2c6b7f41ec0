"""Takes in what a warehouse says has left: parcels of boxes that we sent, and others, which are kept apart.

A parcel is looked up by the order number that was stored when the box was sent; no shipment is ever derived from a
number that is not known. A list may be long: its parts are taken in as they come. What is acknowledged meanwhile leaves
the list; an order that slips between two parts so is offered by the next poll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import Package, Progress, ShippedPage, State, WarehouseOrder
from pipeline.fulfilment.rules.decision.words import Action
from pipeline.fulfilment.rules.order_numbers import could_be_ours, format_order_number, parse_order_number
from pipeline.fulfilment.rules.packages import list_tracking_numbers, see_packages, sort_packages
from pipeline.fulfilment.rules.tracking_numbers import normalize_tracking_number
from pipeline.fulfilment.site import Site, log
from pipeline.fulfilment.steps.calls import note_trouble
from pipeline.fulfilment.steps.settle import SECOND_US, Sighting, settle
from pipeline.infra import metrics, redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import (
    OrderRow,
    find_order,
    find_shipment_range,
    has_other_store,
    list_numbers_in_states,
)
from pipeline.ledger.fulfilment.packages import add_packages, list_packages
from pipeline.ledger.fulfilment.quarantine import (
    ATTACHED,
    list_attachable,
    quarantine_packages,
    settle_quarantined,
)
from pipeline.ledger.fulfilment.runs import begin_run, end_run, find_parked_run, get_run, park_run
from pipeline.warehouses.refusals import scrub_refusal

JOB = "tracking"
MAX_RUN_US = 3 * SECOND_US  # of one task: then the worker takes up other stores
_CURSOR_KEPT_S = 3_600  # then a list is read from its beginning
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
    parts: int = 0
    is_done: bool = True  # False: the list goes on
    error: str | None = None


def poll_tracking(site: Site, max_run_us: int = MAX_RUN_US) -> Polled:
    """Read the warehouse's list and take in every order of it, part by part; the next poll goes on where this ends.

    A list that goes on is the same run, which is due at once: it does not wait for the next interval.
    """
    with writing(site.engine) as conn:
        now = site.now()
        run = find_parked_run(conn, site.store_id, JOB, now - _CURSOR_KEPT_S * SECOND_US)
        run = run or get_run(conn, begin_run(conn, site.store_id, JOB, now))
        open_orders = list_numbers_in_states(conn, site.store_id, WAITED_FOR)
    polled = _read_parts(site, open_orders, site.now() + max_run_us)
    pages, rows = run.pages + polled.parts, run.rows + polled.orders
    with writing(site.engine) as conn:
        if polled.is_done:
            end_run(conn, run.id, site.now(), pages=pages, rows=rows, error=polled.error)
        else:
            park_run(conn, run.id, pages=pages, rows=rows, cursor=None)  # Redis has the cursor
            return polled
    retry_quarantined(site)
    return polled


def _read_parts(site: Site, open_orders: Sequence[tuple[str, str]], until: int) -> Polled:
    """What a warehouse has shown is not lost by what goes wrong after it."""
    redis, key = site.context.redis, redis_keys.tracking_cursor(site.store_id)
    polled, cursor = Polled(), _read_cursor(redis.get(key))
    while polled.parts < MAX_PARTS:
        answer = site.warehouse.list_shipped(open_orders, cursor)
        with writing(site.engine) as conn:
            note_trouble(conn, site, answer)
        if not isinstance(answer, ShippedPage):
            return replace(polled, error=f"the warehouse's list was not read: {type(answer).__name__}")
        polled, cursor = _take_all(site, answer.orders, polled), answer.cursor
        if not cursor:
            redis.delete(key)
            return polled
        redis.set(key, cursor, ex=_CURSOR_KEPT_S)
        if site.now() >= until:
            return replace(polled, is_done=False)
    redis.delete(key)
    return replace(polled, error="the warehouse's list does not end")


def _read_cursor(stored: Any) -> str:
    return stored.decode() if isinstance(stored, bytes) else stored or ""


def _take_all(site: Site, orders: Sequence[WarehouseOrder], polled: Polled) -> Polled:
    changed = quarantined = foreign = 0
    for order in orders:
        number = parse_order_number(order.order_number)
        if number is None:
            foreign += 1
            metrics.FOREIGN_TRACKING.inc()
            continue
        try:
            with writing(site.engine) as conn:
                stored_as = format_order_number(number)  # warehouses change its case
                taken, apart = take_report(conn, site, stored_as, order, "poll")
        except OrderChanged:
            continue  # the next poll shows it again
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one order, the others are taken in
            log.warning("what a warehouse says of an order is not taken in", store=site.store_id, exc_info=True)
            continue
        changed, quarantined = changed + taken, quarantined + apart
    return replace(
        polled,
        orders=polled.orders + len(orders),
        changed=polled.changed + changed,
        quarantined=polled.quarantined + quarantined,
        foreign=polled.foreign + foreign,
        parts=polled.parts + 1,
    )


def take_report(
    conn: Connection, site: Site, order_number: str, reported: WarehouseOrder, source: str
) -> tuple[bool, int]:
    """Take in what a warehouse says of one order; returns whether its box changed, and how many parcels went apart."""
    row = find_order(conn, site.store_id, order_number)
    parcels = _normalize(reported.packages)
    is_complete = reported.progress == "shipped"
    if row is None:
        if parcels and _is_foreign(conn, site, order_number):
            metrics.FOREIGN_TRACKING.inc()
            return False, 0
        return False, quarantine_packages(
            conn, site.store_id, order_number, parcels, site.now(), is_complete=is_complete
        )
    known = [parcel.tracking_number for parcel in list_packages(conn, [row.id])]
    since = row.shipped_at
    seen = see_packages(reported, row.state, known, site.settings, site.now(), shipped_since=since)
    if seen is None:
        return False, 0
    detail = {"source": source, "note": reported.note, "answer": _read_complaint(site, row, reported)}
    sighting = Sighting(seen, detail=detail, columns=_columns(site, row, reported))
    row_now, action = settle(conn, site, row, sighting)
    if action is Action.QUARANTINE:
        return False, quarantine_packages(
            conn, site.store_id, order_number, parcels, site.now(), is_complete=is_complete
        )
    if row_now.state not in _NEVER_SENT:
        shown = [replace(parcel, url="") for parcel in parcels] if row.is_erased else parcels
        added = add_packages(conn, row.id, shown, source, site.now())
        if added and row_now.state is State.CONFIRMED and action is not Action.UPDATE_TRACKING:
            log.info("a further parcel of a confirmed box", store=site.store_id, order=row.id)
    return row_now.state is not row.state, 0


def _read_complaint(site: Site, row: OrderRow, reported: WarehouseOrder) -> str:
    """What a warehouse says of an order that it cannot go on with, without the order's names and addresses."""
    order = site.open(row) if reported.complaint else None
    return scrub_refusal(reported.complaint, order) if order else ""


def _is_foreign(conn: Connection, site: Site, order_number: str) -> bool:
    """Whether a number that the store does not know is that of another shop, and no person has to look."""
    number = parse_order_number(order_number)
    known = find_shipment_range(conn, site.store_id)
    return number is None or not could_be_ours(number, known) or has_other_store(conn, site.store_id, order_number)


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
        apart = list_attachable(conn, site.store_id, frozenset(State) - frozenset(_NEVER_SENT))
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
