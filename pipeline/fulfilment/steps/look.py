"""Looks at shipments: in lists, and one by one in v1, which alone shows the payment and the present address.

What a list shows is enough for a box that is not due or left out. Before a box is called ready, held or cancelled, and
always right before it is sent, it is read whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import BadResponse, NotFound, OrderChanged, ServerFault
from pipeline.core.fulfilment import BillingType, Order, State
from pipeline.cratejoy.shipments import MAX_IDS
from pipeline.fulfilment.rules.changes import (
    CHANGES,
    DATE_MOVED,
    find_news,
    is_another_request,
    mark_changes,
    mark_hold,
)
from pipeline.fulfilment.rules.countries import find_country
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.sights import see_shipment
from pipeline.fulfilment.rules.decision.words import BEFORE_SENDING, NEVER_SEEN, Action, Seen
from pipeline.fulfilment.rules.order import Evaluation, Numbering, evaluate
from pipeline.fulfilment.rules.order_numbers import OrderNumber, format_order_number
from pipeline.fulfilment.rules.reading import Unreadable, read_shipment
from pipeline.fulfilment.rules.shipment import Batch, Listed, Shipment, find_billing_type, find_kind
from pipeline.fulfilment.site import Site, as_detail, log
from pipeline.fulfilment.steps.notices import load_notices
from pipeline.fulfilment.steps.settle import Sighting, settle
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.events import EventDraft
from pipeline.ledger.fulfilment.orders import NewOrder, OrderRow, change_order, insert_order
from pipeline.ledger.fulfilment.packages import list_packages
from pipeline.ledger.fulfilment.personal import KEPT_US

Found = Shipment | Unreadable | None  # None: Cratejoy answers that it does not exist
UNREAD_WAIT_US = 300 * 1_000_000  # of a box that Cratejoy cannot show: the others go on without it
MAX_AHEAD_US = 366 * 86_400 * 1_000_000  # of the next look at a box that is not due
_SENT_AND_OPEN = (
    State.SENDING,
    State.UNKNOWN,
    State.AT_WAREHOUSE,
    State.PARTIALLY_SHIPPED,
    State.CANCEL_REQUESTED,
    State.CANCEL_REFUSED,
)


@dataclass(frozen=True, slots=True)
class Look:
    """A box after a look at its shipment: its row, what is to be done, and its order as it would be built now."""

    row: OrderRow
    action: Action = Action.NONE
    order: Order | None = field(default=None, repr=False)


def read_whole(site: Site, shipment_ids: Sequence[int]) -> dict[int, Found]:
    """Read these shipments in v1, fifty in one request. Raises what `ShipmentAPI.get` does, except NotFound."""
    found: dict[int, Found] = {}
    wanted = list(dict.fromkeys(shipment_ids))
    for start in range(0, len(wanted), MAX_IDS):
        part = wanted[start : start + MAX_IDS]
        asked_at = site.now()
        shown = site.shipments.get_many(part) if len(part) > 1 else {}
        for number in part:
            body = shown[number] if number in shown else _read_one(site, number)
            one = None if body is None else read_shipment(body, is_whole=True)
            found[number] = replace(one, asked_at=asked_at) if isinstance(one, Shipment) else one
    return found


def read_due(site: Site, due: Sequence[OrderRow]) -> tuple[list[OrderRow], dict[int, Found]]:
    """Read the shipments of boxes that are due; returns which of them were read, and what was found.

    If Cratejoy fails to show them together, only the first is read. If it fails at that one, too, the box waits for a
    while: one shipment that Cratejoy cannot show must not hold the others. Raises as `read_whole` does.
    """
    try:
        return list(due), read_whole(site, [row.shipment_id for row in due])
    except (ServerFault, BadResponse):
        first = due[0]
        try:
            return [first], read_whole(site, [first.shipment_id])
        except (ServerFault, BadResponse):
            with writing(site.engine) as conn, suppress(OrderChanged):
                change_order(conn, first, site.now(), next_attempt_at=site.now() + UNREAD_WAIT_US)
            raise


def _read_one(site: Site, shipment_id: int) -> Any:
    try:
        return site.shipments.get(shipment_id)
    except NotFound:
        return None


def note(conn: Connection, site: Site, shipment_id: int, found: Found, row: OrderRow | None) -> Look | None:
    """Write down what a look has shown. `row`: the shipment's newest box, None if there is none yet.

    Returns None for a shipment that is gone and never had a box. One that cannot be judged, for whatever fault of ours,
    is noted as one that cannot be read. Raises OrderChanged as `settle` does.
    """
    try:
        return _note(conn, site, shipment_id, found, row)
    except (OrderChanged, SQLAlchemyError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one shipment, the others are looked at
        log.warning("a shipment cannot be judged", store=site.store_id, shipment=shipment_id, exc_info=True)
        return _note(conn, site, shipment_id, Unreadable(shipment_id, (("shipment", type(error).__name__),)), row)


def _note(conn: Connection, site: Site, shipment_id: int, found: Found, row: OrderRow | None) -> Look | None:
    if row is None:
        return None if found is None else _begin(conn, site, shipment_id, found)
    if found is None:
        row, action = settle(conn, site, row, Sighting(Seen.GONE, columns=_checked(site, is_whole=True)))
        return Look(row, action)
    if isinstance(found, Unreadable):
        fields = {"fields": [list(one) for one in found.fields]}
        sighting = Sighting(Seen.HOLDS, "invalid", fields, _checked(site, is_whole=True))
        return Look(*settle(conn, site, row, sighting))
    return _look_again(conn, site, row, found)


def _begin(conn: Connection, site: Site, shipment_id: int, found: Shipment | Unreadable) -> Look | None:
    """The first sight of a shipment. Its number and kind are decided now, and never again."""
    if isinstance(found, Unreadable):
        return _begin_unreadable(conn, site, shipment_id, found)
    kind = find_kind(found)
    numbering = _number(site, format_order_number(OrderNumber(shipment_id, kind)), kind)
    seen_as = evaluate(found, site.settings, numbering, site.now(), first_seen_at=site.now())
    seen = see_shipment(found, seen_as.verdict)
    decision = decide(NEVER_SEEN, seen, site.policy, site.now(), seen_as.verdict.reason)
    billing_type = find_billing_type(found) or ""
    new = NewOrder(site.store_id, shipment_id, numbering.order_number, kind, billing_type, decision.state)
    columns = _describe(site, found, seen_as) | {"reason": decision.reason or None}
    row = insert_order(conn, new, site.now(), **columns)
    if row is None:
        return None  # another worker was first
    order = seen_as.order
    payload = site.seal(row, order) if order and found.is_whole and row.state in BEFORE_SENDING else None
    if payload is not None:
        row = change_order(conn, row, site.now(), payload=payload)
    return Look(row, decision.action, order)


def _begin_unreadable(conn: Connection, site: Site, shipment_id: int, found: Unreadable) -> Look | None:
    """It is known that there is a shipment, and not what is in it: no number is decided from such a reading."""
    number = f"?{shipment_id}"
    new = NewOrder(site.store_id, shipment_id, number, "order", "", State.HELD, "invalid")
    detail = as_detail({"fields": [list(one) for one in found.fields]})
    row = insert_order(conn, new, site.now(), detail=detail)
    return None if row is None else Look(row)


def _look_again(conn: Connection, site: Site, row: OrderRow, found: Shipment) -> Look:
    found = found.complete(_get_listed(row))
    numbering = _get_numbering(site, row, found)
    at, released = row.first_seen_at, row.released
    seen_as = evaluate(found, site.settings, numbering, site.now(), first_seen_at=at, released=released)
    order = seen_as.order
    numbers = [parcel.tracking_number for parcel in list_packages(conn, [row.id])] if found.status == "shipped" else []
    before = site.open(row) if _is_compared(row) else None
    is_changed = bool(before and order and row.state is State.HELD and is_another_request(before, order))
    seen = see_shipment(found, seen_as.verdict, numbers, is_changed=is_changed)
    columns = _checked(site, found, is_whole=found.is_whole)
    if row.state in BEFORE_SENDING:
        columns |= _describe(site, found, seen_as)
        if not found.is_whole and row.cratejoy_checked_at is not None:
            columns.pop("fingerprint", None)  # a list may show less of the address than the reading by id has
        columns |= {"order_number": numbering.order_number, "kind": numbering.kind}
        columns["billing_type"] = find_billing_type(found) or ""
        is_kept = site.now() - row.state_at < KEPT_US  # what rests for so long was emptied, and is read once more
        if order and found.is_whole and is_kept and not (row.reason == "rejected_by_warehouse" and not is_changed):
            columns["payload"] = _keep_payload(site, row, order, before)
    detail = {"fields": list(seen_as.hold.fields)} if seen_as.hold else {}
    row, action = settle(conn, site, row, Sighting(seen, seen_as.verdict.reason, detail, columns))
    if found.is_whole and before and row.state in _SENT_AND_OPEN:
        marks = mark_changes(before, order) if order else mark_hold(seen_as.hold)
        row = note_changes(conn, site, row, marks, is_whole=order is not None)
    return Look(row, action, order)


def _is_compared(row: OrderRow) -> bool:
    return row.state in _SENT_AND_OPEN or (row.state is State.HELD and row.reason == "rejected_by_warehouse")


def _keep_payload(site: Site, row: OrderRow, order: Order, before: Order | None) -> bytes | None:
    """Encrypt an order only if it is another one: each encrypted value differs from the one before."""
    known = before or site.open(row)
    return row.payload if known == order else site.seal(row, order)


def find_changes_since_sent(site: Site, row: OrderRow, found: Shipment) -> dict[str, str] | None:
    """What the shop has changed of a box that has left (`mark_changes`); a date does not matter any more.

    None if the order is not kept, or cannot be built now.
    """
    before, found = site.open(row), found.complete(_get_listed(row))
    order = evaluate(found, site.settings, _get_numbering(site, row, found), site.now(), released=row.released).order
    if before is None or order is None:
        return None
    return {code: mark for code, mark in mark_changes(before, order).items() if code != DATE_MOVED}


def note_changes(
    conn: Connection, site: Site, row: OrderRow, marks: Mapping[str, str], *, is_whole: bool = True
) -> OrderRow:
    """Give a person one notice of each change, and another of each further one; they may have put the first away.

    Not `is_whole`: what else was changed cannot be seen now, and is taken to be as it was.
    """
    if not marks and row.notice not in CHANGES:
        return row
    said = load_notices(conn, [row.id]).marks
    marks = marks if is_whole else {**said, **marks}
    news = find_news(marks, said)
    if not news:
        return row
    event = EventDraft("changed", news[0], as_detail({"changes": list(news), "marks": dict(marks)}))
    return change_order(conn, row, site.now(), event, notice=news[0], notice_at=site.now())


def _describe(site: Site, found: Shipment, seen_as: Evaluation) -> dict[str, Any]:
    """What the row says of a box that is not sent yet, without names and addresses."""
    verdict, order = seen_as.verdict, seen_as.order
    batch = found.batch
    columns: dict[str, Any] = {
        "adjusted_ordered_at": found.adjusted_ordered_at,
        "target_at": verdict.target_at,
        "due_at": verdict.due_at,
        "batch_id": batch.id if batch and batch.id is not None else found.batch_id,
        "batch_starts_at": batch.starts_at if batch else None,
        "batch_ends_at": batch.ends_at if batch else None,
        "cycle": found.sub_cycle,
        **_checked(site, found, is_whole=found.is_whole),
    }
    if verdict.state is State.DISCOVERED:
        until = verdict.until if verdict.until is not None else site.now() + MAX_AHEAD_US
        columns["next_attempt_at"] = min(until, site.now() + MAX_AHEAD_US)
    if order is not None:
        columns |= {
            "subscription_id": order.subscription_id,
            "customer_id": order.customer_id,
            "order_ids": list(order.order_ids),
            "is_gift": order.is_gift,
            "country": find_country(order.ship_to.country),
            "lines": [
                {"sku": line.sku, "quantity": line.quantity, "description": line.description} for line in order.lines
            ],
            "fingerprint": order.fingerprint,
        }
    return columns


def _checked(site: Site, found: Found = None, *, is_whole: bool) -> dict[str, Any]:
    """When Cratejoy was asked: before the answer came, so that a hook of meanwhile is looked at once more."""
    asked_at = found.asked_at if isinstance(found, Shipment) else None
    return {"cratejoy_checked_at": site.now() if asked_at is None else asked_at} if is_whole else {}


def _get_listed(row: OrderRow) -> Listed:
    """What an earlier list has shown, and a reading by id may not."""
    has_batch = row.batch_id is not None or row.batch_ends_at is not None
    batch = Batch(row.batch_id, row.batch_starts_at, row.batch_ends_at) if has_batch else None
    return Listed(cast("BillingType | None", row.billing_type or None), batch, row.cycle)


def _get_numbering(site: Site, row: OrderRow, found: Shipment) -> Numbering:
    """The number that was decided at first sight; decided now if the shipment could not be read then."""
    if not row.order_number.startswith("?"):
        return _number(site, row.order_number, row.kind)
    kind = find_kind(found)
    return _number(site, format_order_number(OrderNumber(row.shipment_id, kind)), kind)


def _number(site: Site, order_number: str, kind: Any) -> Numbering:
    return Numbering(order_number, kind, site.currency, site.country_format)
