"""Writes tracking to Cratejoy: committed, read, written once, committed; then acknowledged at the warehouse.

Cratejoy mails the customer when a shipment becomes shipped. So it is read before each writing: what an earlier attempt
has written, whose answer was lost, is recognised there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pipeline.core.errors import (
    BadCredentials,
    BadResponse,
    CratewireError,
    NotFound,
    OrderChanged,
    RateLimited,
    RequestRefused,
    ServerFault,
)
from pipeline.core.fulfilment import Invalid, Package, State
from pipeline.fulfilment.rules.confirm import Put, plan_confirm, plan_update
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.packages import list_tracking_numbers
from pipeline.fulfilment.rules.reading import Unreadable, read_shipment
from pipeline.fulfilment.rules.retries import find_next_attempt
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.site import Site, as_detail, log
from pipeline.fulfilment.steps.calls import note_trouble
from pipeline.fulfilment.steps.deliver import SLICE, Turn, do_each
from pipeline.fulfilment.steps.look import UNREAD_WAIT_US, find_changes_since_sent, note_changes
from pipeline.fulfilment.steps.set_aside import OF_ALL_BOXES, one_box
from pipeline.fulfilment.steps.settle import Sighting, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.events import EventDraft
from pipeline.ledger.fulfilment.orders import (
    OrderRow,
    change_order,
    get_order,
    list_due_orders,
    list_to_acknowledge,
    list_to_update,
)
from pipeline.ledger.fulfilment.packages import list_packages, mark_acknowledged

WRITTEN_BY_PERSON = "written_by_person"
_LATER = 3  # a failed acknowledgement is repeated as after the third failure: nothing depends on it


def confirm(site: Site, limit: int = SLICE, until: int | None = None) -> Turn:
    """Write the tracking of boxes whose time has come. Raises RateLimited and BadCredentials, with nothing lost."""
    states = {State.SHIPPED}
    if site.settings.partial_policy == "first_package":
        states.add(State.PARTIALLY_SHIPPED)
    with reading(site.engine) as conn:
        due = list_due_orders(conn, site.store_id, states, site.now(), limit)

    def do(row: OrderRow) -> bool:
        with one_box(site, row):
            _confirm_one(site, row)
        return False

    return do_each(site, due, limit, until, do)


def _confirm_one(site: Site, row: OrderRow) -> None:
    reason = row.reason
    with writing(site.engine) as conn:
        row, _ = settle(conn, site, row, Sighting(Seen.CONFIRM_TURN))
        packages = [parcel.package for parcel in list_packages(conn, [row.id])]
    if row.state is not State.CONFIRMING:
        return
    try:
        sighting, changes = _write(site, row, packages, is_decided=reason == WRITTEN_BY_PERSON)
    except (RateLimited, BadCredentials) as error:
        after_s = error.seconds if isinstance(error, RateLimited) else None
        with writing(site.engine) as conn:
            settle(conn, site, row, Sighting(Seen.NOT_NOW, after_s=after_s))
        raise
    with writing(site.engine) as conn:
        row, _ = settle(conn, site, row, sighting)
        if changes is not None:
            note_changes(conn, site, row, changes)


def _write(
    site: Site, row: OrderRow, packages: Sequence[Package], *, is_decided: bool
) -> tuple[Sighting, dict[str, str] | None]:
    """Read the shipment, and write what it lacks; returns what was seen, and what was changed since it was sent.

    The latter is as of `find_changes_since_sent`. A change whose hook was lost may not have been seen before: then the
    parcel has left for what was so before it.
    """
    changes: dict[str, str] | None = None
    try:
        shipment = _read(site, row)
        changes = find_changes_since_sent(site, row, shipment)
        planned = plan_confirm(shipment, packages, site.settings, site.now(), is_decided=is_decided)
        if not isinstance(planned, Put):
            return Sighting(planned, detail={"status": shipment.status}), changes
        _require_unchanged(site, row)
        _put(site, row, planned)
    except NotFound:
        return Sighting(Seen.GONE), changes
    except RequestRefused as error:
        return Sighting(Seen.CONFIRM_REJECTED, detail={"status": error.status, "answer": str(error)}), changes
    except (RateLimited, BadCredentials, OrderChanged):
        raise
    except CratewireError as error:
        return Sighting(Seen.CONFIRM_LATER, detail={"answer": str(error)}), changes
    return Sighting(Seen.CONFIRM_DONE, detail={"parcels": len(packages)}), changes


def _read(site: Site, row: OrderRow) -> Shipment:
    found = read_shipment(site.shipments.get(row.shipment_id), is_whole=True)
    if isinstance(found, Unreadable):
        raise RequestRefused(f"shipment {row.shipment_id} cannot be read: {dict(found.fields)}", 0)
    return found


def _require_unchanged(site: Site, row: OrderRow) -> None:
    """Raise OrderChanged if another worker has gone on while this one read the shipment, or slept after it."""
    with reading(site.engine) as conn:
        if get_order(conn, row.id).version != row.version:
            raise OrderChanged(f"order {row.id}: another worker has changed it")


def _put(site: Site, row: OrderRow, planned: Put) -> None:
    """Write once. Only if Cratejoy refuses the request, which then changed nothing, once more with less."""
    try:
        site.shipments.write(row.shipment_id, planned.properties)
    except RequestRefused:
        lesser = planned.without_optional()
        if lesser is None:
            raise
        site.shipments.write(row.shipment_id, lesser.properties)


def update_tracking(site: Site, limit: int = SLICE, until: int | None = None) -> Turn:
    """Write further tracking numbers of confirmed boxes, without the status: Cratejoy mails nothing then."""
    with reading(site.engine) as conn:
        due = list_to_update(conn, site.store_id, site.now(), limit)
        packages = list_packages(conn, [row.id for row in due])

    def do(row: OrderRow) -> bool:
        _update_one(site, row, [one.package for one in packages if one.order_id == row.id])
        return False

    return do_each(site, due, limit, until, do)


def _update_one(site: Site, row: OrderRow, parcels: Sequence[Package]) -> None:
    event = EventDraft("tracking_updated", detail={"parcels": len(parcels)})
    try:
        planned = plan_update(_read(site, row), parcels, site.settings)
        if planned is not None:
            _put(site, row, planned)
    except RequestRefused as error:
        event = EventDraft("tracking_refused", detail={"status": error.status, "answer": str(error)})
    except (ServerFault, BadResponse):  # it waits, and holds no other
        with writing(site.engine) as conn, suppress(OrderChanged):
            change_order(conn, row, site.now(), update_at=site.now() + UNREAD_WAIT_US)
        return
    except OF_ALL_BOXES:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one box, the others go on
        log.warning("a further tracking number is not written", store=site.store_id, order=row.id, exc_info=True)
        event = EventDraft("tracking_refused", detail={"error": type(error).__name__})
    acknowledge_at = site.now() if site.warehouse.capabilities.acknowledges else None
    with writing(site.engine) as conn, suppress(OrderChanged):
        change_order(conn, row, site.now(), event, update_at=None, acknowledge_at=acknowledge_at)


def acknowledge(site: Site, limit: int = SLICE, until: int | None = None) -> Turn:
    """Acknowledge confirmed boxes at the warehouse. A failure never takes the confirmation back."""
    with reading(site.engine) as conn:
        due = list_to_acknowledge(conn, site.store_id, site.now(), limit)
        packages = list_packages(conn, [row.id for row in due])
    numbers = {
        row.id: list_tracking_numbers([one.package for one in packages if one.order_id == row.id]) for row in due
    }
    return do_each(site, due, limit, until, lambda row: _acknowledge_one(site, row, numbers[row.id]))


def _acknowledge_one(site: Site, row: OrderRow, numbers: Sequence[str]) -> bool:
    """Returns whether to stop: the warehouse is in trouble."""
    try:
        answer = site.warehouse.acknowledge(row.order_number, numbers)
    except OF_ALL_BOXES:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one box, the others go on
        log.warning("tracking is not acknowledged", store=site.store_id, order=row.id, exc_info=True)
        answer = Invalid((("order", type(error).__name__),))
    now, detail = site.now(), as_detail(site.calls.take())
    with writing(site.engine) as conn:
        must_stop = note_trouble(conn, site, answer)
        try:
            if answer is None:
                mark_acknowledged(conn, row.id, numbers, now)
                change_order(conn, row, now, EventDraft("acknowledged", detail=detail), acknowledge_at=None)
            else:
                next_at = find_next_attempt("acknowledge", _LATER, row.confirmed_at or now, now)
                change_order(conn, row, now, acknowledge_at=next_at)
        except OrderChanged:
            return must_stop
    return must_stop
