"""The boxes of the user's shops by state, and what a person decides about one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from sqlalchemy import Connection

from pipeline.core.fulfilment import State
from pipeline.core.roles import is_allowed
from pipeline.fulfilment.rules.reasons import REASONS, RELEASABLE
from pipeline.fulfilment.stored_settings import find_no_tracking_days
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, get_warehouse
from pipeline.ledger.queries.boxes import BoxFilter, list_box_page, list_stores_with_warehouse
from pipeline.ledger.queries.fulfilment import (
    FOR_PEOPLE,
    BoxLine,
    count_late_boxes,
    count_quarantined,
    list_late_boxes,
)
from receiver.pages.addresses import read_cursor
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.warehouse.files import takes_files
from receiver.pages.warehouse.wording import BILLING_TYPES, describe_standstill

blueprint = Blueprint("orders", __name__)

PAGE_SIZE = 50
MAX_LISTED = 200  # of one of the three lists
PARAMETERS = ("show", "store", "kind", "reason", "number")
# What is shown of all boxes: its name in the address, its title, the states.
TABS: Mapping[str, tuple[str, frozenset[State]]] = {
    "all": ("All", frozenset()),
    "needs_you": ("Needs you", frozenset(FOR_PEOPLE)),
    "to_send": ("To send", frozenset({State.DISCOVERED, State.HELD, State.READY, State.SENDING, State.UNKNOWN})),
    "at_warehouse": (
        "At the warehouse",
        frozenset({State.AT_WAREHOUSE, State.PARTIALLY_SHIPPED, State.CANCEL_REQUESTED, State.CANCEL_REFUSED}),
    ),
    "shipped": ("Shipped", frozenset({State.SHIPPED, State.CONFIRMING})),
    "confirmed": ("Confirmed", frozenset({State.CONFIRMED})),
    "ended": ("Not sent", frozenset({State.CANCELLED, State.SKIPPED, State.EXTERNALLY_SHIPPED})),
}
# The titles of `LateBoxes`.
LISTS: Mapping[str, str] = {
    "paid_not_sent": "Paid, not sent",
    "sent_without_tracking": "Sent, no tracking",
    "shipped_customer_not_informed": "Shipped, customer not informed",
}


@dataclass(frozen=True, slots=True)
class BoxRow:
    """A box as a row of the list."""

    box: BoxLine
    store: VisibleStore

    @property
    def may_release(self) -> bool:
        """Whether the row has a button that releases the box."""
        is_held = self.box.state == State.HELD and self.box.reason in RELEASABLE
        return is_held and is_allowed(self.store.role, "replay")


@blueprint.get("/orders")
@requires("see")
def show() -> str:
    """Show a page of boxes, or one of the three lists."""
    stores = {store.store_id: store for store in list_my_stores()}
    given = {name: value for name in PARAMETERS if (value := request.args.get(name))}
    chosen = _choose(stores, given)
    shown = given.get("show", "all")
    before = _read_before()
    with reading(get_context().engine) as conn:
        with_warehouse = list_stores_with_warehouse(conn, list(stores))
        warehouses = {store_id: get_warehouse(conn, store_id) for store_id in with_warehouse if store_id in chosen}
        with_files = {store_id for store_id in warehouses if takes_files(warehouses[store_id])}
        counts = _count_late(conn, warehouses.values())
        apart = {store_id: count_quarantined(conn, store_id) for store_id in with_warehouse if store_id in chosen}
        if shown in LISTS:
            page, is_last = _load_list(conn, warehouses.values(), shown), True
        else:
            found = list_box_page(conn, _build_filter(given, chosen), before=before, limit=PAGE_SIZE + 1)
            page, is_last = found[:PAGE_SIZE], len(found) <= PAGE_SIZE
    return render_template(
        "orders.html",
        rows=[BoxRow(box, stores[box.store_id]) for box in page],
        stores=[stores[store_id] for store_id in with_warehouse],
        with_files=with_files,
        given=given,
        shown=shown,
        tabs=TABS,
        lists={name: (title, counts[name]) for name, title in LISTS.items()},
        apart=[(stores[store_id], count) for store_id, count in apart.items() if count],
        keeping=[(stores[one], words) for one, row in warehouses.items() if (words := describe_standstill(row))],
        most=MAX_LISTED,
        kinds=BILLING_TYPES,
        reasons=REASONS,
        is_first=before is None,
        older=None if is_last else {**given, "before": f"{page[-1].state_at}.{page[-1].id}"},
    )


def _choose(stores: Mapping[int, VisibleStore], given: Mapping[str, str]) -> tuple[int, ...]:
    """The stores of the address; aborts with 404 for another account's, and for what cannot be shown."""
    chosen = tuple(store_id for store_id, store in stores.items() if given.get("store") in (None, store.name))
    is_known = given.get("show", "all") in {*TABS, *LISTS} and given.get("kind") in {None, *BILLING_TYPES}
    if not is_known or ("store" in given and not chosen):
        abort(404)
    return chosen


def _build_filter(given: Mapping[str, str], store_ids: tuple[int, ...]) -> BoxFilter:
    shown = given.get("show", "all")
    return BoxFilter(
        store_ids,
        TABS[shown][1],
        needs_person=shown == "needs_you",
        reason=given.get("reason"),
        billing_type=given.get("kind"),
        number=given.get("number", "").strip() or None,
    )


def _read_before() -> tuple[int, int] | None:
    at, box_id = read_cursor(request.args.get("before"))
    return None if at is None or box_id is None else (at, box_id)


def _count_late(conn: Connection, warehouses: Iterable[WarehouseRow]) -> Counter[str]:
    """How many boxes of these warehouses' stores are in each of the three lists."""
    counts: Counter[str] = Counter()
    for row in warehouses:
        counts.update(count_late_boxes(conn, row.store_id, get_context().now(), find_no_tracking_days(row.settings)))
    return counts


def _load_list(conn: Connection, warehouses: Iterable[WarehouseRow], name: str) -> list[BoxLine]:
    """One of the three lists of these warehouses' stores, the last to change first."""
    boxes: list[BoxLine] = []
    for row in warehouses:
        days = find_no_tracking_days(row.settings)
        late = list_late_boxes(conn, row.store_id, get_context().now(), days, limit=MAX_LISTED)
        boxes += getattr(late, name)
    return sorted(boxes, key=lambda box: -box.state_at)[:MAX_LISTED]
