"""Boxes on their way through a warehouse: a page of them, one with its life, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import NoResultFound

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Order, State
from pipeline.fulfilment.requests import Choice, Requests
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.fulfilment.sealed_order import open_order
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.events import FulfilmentEventRow, list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow, find_newest_order, get_order
from pipeline.ledger.fulfilment.packages import PackageRow, list_packages
from pipeline.ledger.queries.boxes import BoxFilter, list_box_page
from pipeline.ledger.queries.fulfilment import BoxLine
from receiver.api.caller import get_actor, get_context, load_shops, may_see_people
from receiver.api.fields import build_page
from receiver.api.order_documents import (
    DETAIL_EXAMPLE,
    EXAMPLE,
    DecideBody,
    OrderDetailSchema,
    OrderPage,
    OrderQuery,
    ResendBody,
)
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, view

blueprint = Resource("orders", __name__, description="Boxes that a warehouse packs, each under one order number.")

SENDS_TWICE = "If the first one left after all, the customer gets two. Send `confirm` as true to do it."
_OF_LINES = BoxLine.__slots__
_OF_DETAILS = (
    *("kind", "order_ids", "subscription_id", "customer_id", "cycle", "external_id", "attempts", "first_seen_at"),
    *("cratejoy_checked_at", "warehouse_checked_at"),
)


@view(blueprint, "/orders", "read", Answer(OrderPage, {"items": [EXAMPLE], "next_cursor": None}), query=OrderQuery)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List orders

    The last to change first.
    """
    limit = query["limit"]
    with reading(get_context().engine) as conn:
        shops = load_shops(conn, query["shop"])
        wanted = BoxFilter(
            store_ids=tuple(shops),
            states=[State(query["state"])] if query["state"] else (),
            reason=query["reason"],
            billing_type=query["billing_type"],
            number=query["number"],
        )
        rows = list_box_page(conn, wanted, before=query["cursor"], limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.state_at, row.id))
    return {**page, "items": [build_line(row, shops) for row in page["items"]]}


@view(blueprint, "/orders/<row_id:order_id>", "read", Answer(OrderDetailSchema, DETAIL_EXAMPLE))
def show(order_id: int) -> dict[str, Any]:
    """Show an order

    With its parcels and all that happened to it.
    """
    return load_order(order_id)


@view(
    blueprint,
    "/orders/<row_id:order_id>/release",
    "replay",
    Answer(OrderDetailSchema, {**DETAIL_EXAMPLE, "state": "ready", "reason": None, "text": None, "cure": None}),
    method="POST",
)
def release(order_id: int) -> dict[str, Any]:
    """Release a held order

    Its reason holds it no more, and it goes out with the next delivery. Refused where nothing but the cure ends it.
    """
    return _decide(order_id, "release")


@view(
    blueprint,
    "/orders/<row_id:order_id>/retry",
    "replay",
    Answer(OrderDetailSchema, DETAIL_EXAMPLE),
    method="POST",
)
def retry(order_id: int) -> dict[str, Any]:
    """Try an order again

    What failed or waits is tried now: the sending, the confirming or the cancel.
    """
    return _decide(order_id, "retry")


@view(
    blueprint,
    "/orders/<row_id:order_id>/resend",
    "replay",
    Answer(OrderDetailSchema, {**DETAIL_EXAMPLE, "order_number": "SUB-90000001-R1"}, status=201),
    method="POST",
    body=ResendBody,
    body_example={"confirm": True},
)
def resend(body: dict[str, Any], order_id: int) -> dict[str, Any]:
    """Send an order again

    One that was cancelled goes out once more, under a new number, which the warehouse has never had. That is the order
    that is returned.
    """
    row = _find_own(order_id)
    if not body["confirm"]:
        raise Problem(409, SENDS_TWICE)
    return load_order(Requests(get_context(), row.store_id, get_actor()).resend(row.order_number).id)


@view(
    blueprint,
    "/orders/<row_id:order_id>/decide",
    "replay",
    Answer(OrderDetailSchema, {**DETAIL_EXAMPLE, "state": "at_warehouse", "reason": None, "text": None, "cure": None}),
    method="POST",
    body=DecideBody,
    body_example={"what": "mark_sent"},
)
def decide(body: dict[str, Any], order_id: int) -> dict[str, Any]:
    """Decide what is so

    Where only a person can know, such as whether the warehouse has the order after all.
    """
    return _decide(order_id, body["what"])


def _decide(order_id: int, word: str) -> dict[str, Any]:
    row = _find_own(order_id)
    requests = Requests(get_context(), row.store_id, get_actor())
    if word != "dismiss_notice":
        requests.decide(row.order_number, word)
    elif row.notice_at is None:
        raise Problem(409, f"{row.order_number} has no notice.")
    else:
        requests.dismiss_notice(row.order_number)
    return load_order(order_id)


def _find_own(order_id: int) -> OrderRow:
    with reading(get_context().engine) as conn:
        return _find(conn, order_id, load_shops(conn))


def _find(conn: Connection, order_id: int, shops: dict[int, str]) -> OrderRow:
    try:
        row = get_order(conn, order_id)
    except NoResultFound:
        raise not_found() from None
    if row.store_id not in shops:
        raise not_found()
    return row


def load_order(order_id: int) -> dict[str, Any]:
    """All that is known of a box of the caller. Raises Problem with 404."""
    is_shown = may_see_people()
    with reading(get_context().engine) as conn:
        shops = load_shops(conn)
        row = _find(conn, order_id, shops)
        events, packages = list_order_events(conn, [row.id]), list_packages(conn, [row.id])
        newest = find_newest_order(conn, row.store_id, row.shipment_id)
    reason = REASONS.get(row.reason or "")
    order = _open(row) if is_shown else None
    return {
        **build_line(row, shops),
        **{name: getattr(row, name) for name in _OF_DETAILS},
        "text": reason.text if reason else None,
        "cure": reason.cure if reason else None,
        "detail": row.detail if is_shown else None,
        "ship_to": order.ship_to if order else None,
        "gift_message": order.gift_message or None if order else None,
        "actions": _list_choices(row, is_newest=newest is not None and newest.id == row.id),
        "packages": [_build_package(one, is_shown=is_shown) for one in packages],
        "events": [_build_event(one, is_shown=is_shown) for one in events],
    }


def _list_choices(row: OrderRow, *, is_newest: bool) -> list[Choice]:
    """What can be done about it; nothing while the keys or the settings of the warehouse cannot be read."""
    try:
        return Requests(get_context(), row.store_id, get_actor()).list_choices(row, is_newest=is_newest)
    except Misconfigured:
        return []


def _open(row: OrderRow) -> Order | None:
    """The order with its names and addresses; None if they are not kept, or no key fits."""
    if row.payload is None:
        return None
    try:
        return open_order(get_context().settings.secret_keys, row.identity, row.payload)
    except Misconfigured:
        return None


def build_line(row: BoxLine | OrderRow, shops: Mapping[int, str]) -> dict[str, Any]:
    """A box as lists have it. `shops`: id -> name."""
    values = {name: getattr(row, name) for name in _OF_LINES}
    return {**values, "shop": shops[row.store_id], "next_attempt_at": row.next_attempt_at or None}


def _build_package(row: PackageRow, *, is_shown: bool) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in PackageRow.__slots__}
    return values if is_shown else {**values, "tracking_number": None, "url": None}


def _build_event(row: FulfilmentEventRow, *, is_shown: bool) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in FulfilmentEventRow.__slots__}
    return values if is_shown else {**values, "detail": None}
