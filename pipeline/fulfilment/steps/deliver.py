"""Gives boxes that are due to the warehouse: read once more, committed as being sent, looked up, created, committed.

Whatever ends without a sure answer is looked up before anything is created again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import Order, State
from pipeline.fulfilment.rules.decision.words import Action, Seen
from pipeline.fulfilment.site import Site
from pipeline.fulfilment.steps.calls import run_calls
from pipeline.fulfilment.steps.look import Found, note, read_due, read_whole
from pipeline.fulfilment.steps.settle import SECOND_US, Sighting, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import OrderRow, get_order, list_due_orders, list_stuck_orders

SLICE = 25  # boxes that are read together right before they are sent: none waits long between the two


@dataclass(frozen=True, slots=True)
class Turn:
    """How far a step came. `is_done`: nothing is left that is due. `must_stop`: the warehouse is in trouble."""

    count: int = 0
    is_done: bool = True
    must_stop: bool = False


def is_over(site: Site, until: int | None) -> bool:
    """Whether the time (µs) is up: a warehouse that answers slowly must not keep the worker from other stores."""
    return until is not None and site.now() >= until


def deliver(site: Site, limit: int = SLICE, until: int | None = None) -> Turn:
    """Send the boxes that are due, a slice of them. Raises what the store's client raises; nothing is lost then."""
    with reading(site.engine) as conn:
        waiting = list_due_orders(conn, site.store_id, {State.READY}, site.now(), limit)
    if not waiting:
        return Turn()
    due, found = read_due(site, waiting)
    for number, row in enumerate(due):
        if number and is_over(site, until):
            return Turn(number, is_done=False)
        try:
            called = _send(site, row, found[row.shipment_id])
        except OrderChanged:
            continue
        if called:
            return Turn(number + 1, is_done=False, must_stop=True)
    return Turn(len(due), is_done=len(due) == len(waiting) < limit)


def _send(site: Site, row: OrderRow, found: Found) -> bool:
    """Send one box; returns whether to stop."""
    with writing(site.engine) as conn:
        look = note(conn, site, row.shipment_id, found, row)
        if look is None:
            return False
        row, action, order = look.row, look.action, look.order
        if row.state is State.READY and order is not None:
            row, action = take_up(conn, site, row, order)
    return run_calls(site, row, action, order).must_stop


def take_up(conn: Connection, site: Site, row: OrderRow, order: Order) -> tuple[OrderRow, Action]:
    """Commit to sending this box as it is now: from here on it may be at the warehouse."""
    columns = {"payload": site.seal(row, order), "fingerprint": order.fingerprint}
    columns |= {"fingerprint_sent": order.fingerprint}
    return settle(conn, site, row, Sighting(Seen.TURN, columns=columns))


def reconcile(site: Site, limit: int = SLICE, until: int | None = None) -> Turn:
    """Look up the boxes whose outcome is not known, and those whose cancel was not answered."""
    states = {State.UNKNOWN, State.CANCEL_REQUESTED}
    with reading(site.engine) as conn:
        due = list_due_orders(conn, site.store_id, states, site.now(), limit)
    for number, found in enumerate(due):
        if number and is_over(site, until):
            return Turn(number, is_done=False)
        try:
            row, order = _get_order(site, found)
            if run_calls(site, row, _choose(site, row), order).must_stop:
                return Turn(number + 1, is_done=False, must_stop=True)
        except OrderChanged:
            continue
    return Turn(len(due), is_done=len(due) < limit)


def _choose(site: Site, row: OrderRow) -> Action:
    """A cancel looks first, too, where that can be done: the worker that had asked for it may be gone."""
    can_look = site.warehouse.capabilities.finds
    return Action.ASK_CANCEL if row.state is State.CANCEL_REQUESTED and not can_look else Action.LOOK_UP


def _get_order(site: Site, row: OrderRow) -> tuple[OrderRow, Order | None]:
    """The box to compare with: as it was sent, or, if that is not kept any more, as Cratejoy has it now."""
    kept = site.open(row)
    if kept is not None or row.state is State.CANCEL_REQUESTED:
        return row, kept
    found = read_whole(site, [row.shipment_id])[row.shipment_id]
    with writing(site.engine) as conn:
        look = note(conn, site, row.shipment_id, found, get_order(conn, row.id))
    return (row, None) if look is None else (look.row, look.order)


def reap(site: Site) -> int:
    """Let go of boxes whose worker is gone: their outcome is not known. Returns how many there were."""
    after_us = round(site.context.settings.fulfilment_stuck_seconds * SECOND_US)
    with reading(site.engine) as conn:
        stuck = list_stuck_orders(conn, site.store_id, {State.SENDING, State.CONFIRMING}, site.now(), after_us)
    count = 0
    for row in stuck:
        try:
            with writing(site.engine) as conn:
                settle(conn, site, row, Sighting(Seen.STUCK))
            count += 1
        except OrderChanged:
            continue
    return count
