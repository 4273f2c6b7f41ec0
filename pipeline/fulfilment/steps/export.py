"""Hands boxes out in a file, where the warehouse is a spreadsheet: read once more, taken up, and written down as sent.

Nothing is called at a warehouse, so all of this is one transaction for each slice: a worker that is killed leaves boxes
that are ready, or boxes that are handed out, whose file can be written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import Order, State
from pipeline.cratejoy.shipments import MAX_IDS
from pipeline.fulfilment.rules.decision.sights import see_create
from pipeline.fulfilment.rules.decision.words import Action
from pipeline.fulfilment.site import Site
from pipeline.fulfilment.steps.deliver import take_up
from pipeline.fulfilment.steps.look import Found, note, read_whole
from pipeline.fulfilment.steps.settle import Sighting, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.exports import add_exported
from pipeline.ledger.fulfilment.orders import OrderRow, get_order

SLICE = MAX_IDS
# Handed out, and not known to have left or to be cancelled: its row may be written again.
OPEN = (State.UNKNOWN, State.AT_WAREHOUSE, State.PARTIALLY_SHIPPED)


@dataclass(frozen=True, slots=True)
class HandedOut:
    """The boxes of a slice. `left_out`: order number and state of those that Cratejoy has otherwise by now."""

    orders: tuple[Order, ...] = field(default=(), repr=False)
    left_out: tuple[tuple[str, str], ...] = ()


def hand_out(site: Site, order_ids: Sequence[int], export_id: int) -> HandedOut:
    """Hand out these boxes, at most `SLICE`. Raises what the store's client raises; then none of them is."""
    with reading(site.engine) as conn:
        rows = [get_order(conn, order_id) for order_id in order_ids]
    found = read_whole(site, [row.shipment_id for row in rows])
    orders: list[Order] = []
    left_out: list[tuple[str, str]] = []
    with writing(site.engine) as conn:
        for row in rows:
            with suppress(OrderChanged):  # another has just handed it out, or looked at it
                now_as, order = _hand_out_one(conn, site, row, found[row.shipment_id], export_id)
                if order is not None:
                    orders.append(order)
                else:
                    left_out.append((row.order_number, now_as.reason or now_as.state.value))
        add_exported(conn, export_id, len(orders))
    return HandedOut(tuple(orders), tuple(left_out))


def _hand_out_one(
    conn: Connection, site: Site, row: OrderRow, found: Found, export_id: int
) -> tuple[OrderRow, Order | None]:
    """The box as it is then, and its order if it is in the file."""
    look = note(conn, site, row.shipment_id, found, row)
    if look is None or look.order is None or look.row.state is not State.READY:
        return (row if look is None else look.row), None
    row, action = take_up(conn, site, look.row, look.order)
    if action is not Action.CREATE:
        return row, None
    answer = site.warehouse.create(look.order)
    columns = {"export_id": export_id, "external_id": getattr(answer, "external_id", None)}
    row, _ = settle(conn, site, row, Sighting(see_create(answer), detail={"export": export_id}, columns=columns))
    return row, look.order if row.state is State.AT_WAREHOUSE else None
