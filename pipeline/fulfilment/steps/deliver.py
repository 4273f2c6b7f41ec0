"""Gives boxes that are due to the warehouse: read once more, committed as being sent, looked up, created, committed.

A slice is read in one request, and where the warehouse can be asked of many numbers at once, in one look-up; then its
boxes are sent, several at a time. Whatever ends without a sure answer is looked up before anything is created again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import cast

from redis import RedisError
from sqlalchemy import Connection

from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import Order, State
from pipeline.cratejoy.shipments import MAX_IDS
from pipeline.fulfilment.rules.decision.words import Action, Seen
from pipeline.fulfilment.site import Site, log
from pipeline.fulfilment.steps.calls import run_calls
from pipeline.fulfilment.steps.look import Found, note, read_due, read_whole
from pipeline.fulfilment.steps.set_aside import one_box
from pipeline.fulfilment.steps.settle import SECOND_US, Sighting, settle
from pipeline.fulfilment.steps.side_by_side import work_side_by_side
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import OrderRow, get_order, list_due_orders, list_stuck_orders
from pipeline.warehouses.base import ManyLookUps

# Boxes that are read together right before they are sent. None waits longer between the two than a task runs: what is
# left of a slice then is read again.
SLICE = MAX_IDS


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
    absent = _find_absent(site, due)

    def send(row: OrderRow) -> bool:
        with one_box(site, row):
            return _send(site, row, found[row.shipment_id], is_absent=row.order_number in absent)
        return False

    begun, must_stop = work_side_by_side(due, _count_at_once(site), send, lambda: not is_over(site, until))
    is_done = begun == len(due) == len(waiting) < limit
    return Turn(begun, is_done=is_done and not must_stop, must_stop=must_stop)


def _count_at_once(site: Site) -> int:
    """How many boxes are sent at a time: as the installation and the warehouse allow; after trouble only one."""
    if site.row.trouble:
        return 1
    return min(site.context.settings.fulfilment_at_once, site.warehouse.capabilities.creates_at_once)


def _find_absent(site: Site, due: Sequence[OrderRow]) -> Collection[str]:
    """The numbers of these boxes of which the warehouse surely has no order. The others are looked up one by one."""
    new = [row.order_number for row in due if not row.may_exist]
    if not (site.warehouse.capabilities.finds_many and site.settings.lookup_before_create and len(new) > 1):
        return ()
    try:
        return cast("ManyLookUps", site.warehouse).find_absent(new)
    except RedisError:
        raise
    except Exception:  # noqa: BLE001 - what fails for all together may fail for one alone
        log.warning("boxes cannot be looked up together", store=site.store_id, exc_info=True)
        return ()


def _send(site: Site, row: OrderRow, found: Found, *, is_absent: bool) -> bool:
    """Send one box; returns whether to stop."""
    with writing(site.engine) as conn:
        look = note(conn, site, row.shipment_id, found, row)
        if look is None:
            return False
        row, action, order = look.row, look.action, look.order
        if row.state is State.READY and order is not None:
            row, action = take_up(conn, site, row, order)
    return run_calls(site, row, action, order, is_absent=is_absent).must_stop


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
    return do_each(site, due, limit, until, lambda found: _look_up(site, found))


def do_each(site: Site, due: Sequence[OrderRow], limit: int, until: int | None, do: Callable[[OrderRow], bool]) -> Turn:
    """Do it for one box after another, at least for the first, until the time is up or `do` says to stop.

    `due`: at most `limit` of those that are due.
    """
    for number, row in enumerate(due):
        if number and is_over(site, until):
            return Turn(number, is_done=False)
        if do(row):
            return Turn(number + 1, is_done=False, must_stop=True)
    return Turn(len(due), is_done=len(due) < limit)


def _look_up(site: Site, found: OrderRow) -> bool:
    """Returns whether to stop: the warehouse is in trouble."""
    with one_box(site, found):
        row, order = _get_order(site, found)
        return run_calls(site, row, _choose(site, row), order).must_stop
    return False


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
