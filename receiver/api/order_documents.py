"""The documents of the API about boxes: what a list has of one, all that is known of one, and what may be asked for."""

from __future__ import annotations

from typing import get_args

from marshmallow import fields, validate

from pipeline.core.fulfilment import State
from pipeline.fulfilment.requests import Choice
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.fulfilment.rules.search_windows import BILLING_TYPES
from receiver.api.fields import Body, Cursor, Document, Moment, PageQuery, RowId, page_of, shop_field
from receiver.api.resource import describe

DECISIONS: tuple[Choice, ...] = ("mark_sent", "write_tracking", "ignore", "dismiss_notice")
STATES = [state.value for state in State]
PERSONAL = "Needs the scope `read-people`; null without it."


class OrderLineSchema(Document):
    """Equal things in a box."""

    sku = fields.String(required=True, metadata=describe("As the warehouse knows it."))
    source_sku = fields.String(metadata=describe("As Cratejoy has it."))
    description = fields.String()
    quantity = fields.Integer(required=True)


class OrderSchema(Document):
    """A box under one order number."""

    id = RowId(required=True)
    shop = fields.String(required=True)
    order_number = fields.String(required=True, metadata={"example": "SUB-90000001"})
    shipment_id = RowId(required=True, metadata=describe("Cratejoy's."))
    billing_type = fields.String(required=True, metadata=describe("ecom, adhoc, standard; empty: not known yet."))
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = fields.String(required=True, allow_none=True, metadata=describe("A code: what it waits for, or why."))
    notice = fields.String(
        required=True, allow_none=True, metadata=describe("A code: what changed after the box was sent.")
    )
    is_gift = fields.Boolean(required=True)
    country = fields.String(required=True, allow_none=True)
    lines = fields.List(fields.Nested(OrderLineSchema), required=True)
    target_at = Moment(required=True, allow_none=True, metadata=describe("The date it should leave on."))
    due_at = Moment(required=True, allow_none=True, metadata=describe("When it may go to the warehouse."))
    next_attempt_at = Moment(required=True, allow_none=True, metadata=describe("null: at once."))
    state_at = Moment(required=True, metadata=describe("Since when it is in this state."))
    sent_at = Moment(required=True, allow_none=True)
    shipped_at = Moment(required=True, allow_none=True)
    confirmed_at = Moment(required=True, allow_none=True)


class PackageSchema(Document):
    """A parcel of a box."""

    id = RowId(required=True)
    tracking_number = fields.String(required=True, allow_none=True, metadata=describe(PERSONAL))
    carrier = fields.String(required=True)
    method = fields.String(required=True)
    url = fields.String(required=True, allow_none=True, metadata=describe(PERSONAL))
    source = fields.String(required=True, metadata=describe("poll, push, quarantine or person."))
    shipped_at = Moment(required=True, allow_none=True)
    found_at = Moment(required=True)
    acknowledged_at = Moment(required=True, allow_none=True, metadata=describe("At the warehouse."))


class OrderEventSchema(Document):
    """Something that happened to a box."""

    id = RowId(required=True)
    at = Moment(required=True)
    kind = fields.String(required=True, metadata={"example": "sent"})
    from_state = fields.String(required=True, allow_none=True)
    to_state = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    detail = fields.Dict(
        required=True, allow_none=True, metadata=describe(f"Such as the warehouse's own words. {PERSONAL}")
    )
    user = RowId(
        required=True, allow_none=True, attribute="user_id", metadata=describe("null: a worker, or the operator.")
    )


class ShipToSchema(Document):
    """Where a box goes. What is not known is empty."""

    name = fields.String(required=True)
    company = fields.String(required=True)
    address1 = fields.String(required=True)
    address2 = fields.String(required=True)
    city = fields.String(required=True)
    state = fields.String(required=True)
    zip = fields.String(required=True)
    country = fields.String(required=True)
    phone = fields.String(required=True)
    email = fields.String(required=True)


class OrderDetailSchema(OrderSchema):
    """A box with its parcels and all that happened to it."""

    kind = fields.String(required=True, metadata=describe("subscription or order."))
    text = fields.String(required=True, allow_none=True, metadata=describe("The reason in words."))
    cure = fields.String(required=True, allow_none=True, metadata=describe("What ends it."))
    detail = fields.Dict(required=True, allow_none=True, metadata=describe(f"About the reason. {PERSONAL}"))
    order_ids = fields.List(RowId(), required=True, metadata=describe("Cratejoy's orders behind the box."))
    subscription_id = RowId(required=True, allow_none=True)
    customer_id = RowId(required=True, allow_none=True)
    cycle = fields.Integer(
        required=True, allow_none=True, metadata=describe("Which box of the subscription it is, from 1.")
    )
    external_id = fields.String(required=True, allow_none=True, metadata=describe("The warehouse's."))
    attempts = fields.Integer(required=True, metadata=describe("Failures in a row."))
    first_seen_at = Moment(required=True)
    cratejoy_checked_at = Moment(required=True, allow_none=True)
    warehouse_checked_at = Moment(required=True, allow_none=True)
    ship_to = fields.Nested(
        ShipToSchema,
        required=True,
        allow_none=True,
        metadata=describe("Needs the scope `read-people`. null without it, and when it is not kept any more."),
    )
    gift_message = fields.String(required=True, allow_none=True, metadata=describe(PERSONAL))
    actions = fields.List(
        fields.String(validate=validate.OneOf(get_args(Choice))),
        required=True,
        metadata=describe("What can be done about it now: an address of its own, or a value of `what` of `decide`."),
    )
    packages = fields.List(fields.Nested(PackageSchema), required=True)
    events = fields.List(fields.Nested(OrderEventSchema), required=True, metadata=describe("The oldest first."))


class OrderQuery(PageQuery):
    """Which boxes to list."""

    shop = shop_field(load_default=None)
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    reason = fields.String(load_default=None, validate=validate.OneOf(sorted(REASONS)))
    billing_type = fields.String(load_default=None, validate=validate.OneOf(BILLING_TYPES))
    number = fields.String(
        load_default=None,
        validate=[validate.Length(1, 60), validate.Regexp(r"^[A-Za-z0-9-]+$(?!\n)")],
        metadata=describe("Only the box with this order number, or the boxes of this shipment of Cratejoy."),
    )
    cursor = Cursor(parts=2, load_default=None)


class DecideBody(Body):
    """What is so, as a person has found out."""

    what = fields.String(
        required=True,
        validate=validate.OneOf(DECISIONS),
        metadata=describe(
            "mark_sent: the warehouse has it; write_tracking: Cratejoy is given the tracking of a parcel that left "
            "after a cancel, and mails the customer; ignore: it stays so; dismiss_notice: `notice` is put away."
        ),
    )


class ResendBody(Body):
    """Sending again. It cannot be taken back once the warehouse has packed it."""

    confirm = fields.Boolean(load_default=False, metadata=describe("true: the first box has not left."))


EXAMPLE = {
    "id": "311",
    "shop": "acme",
    "order_number": "SUB-90000001",
    "shipment_id": "90000001",
    "billing_type": "adhoc",
    "state": "held",
    "reason": "unmapped_ship_code",
    "notice": None,
    "is_gift": False,
    "country": "US",
    "lines": [{"sku": "TEA-M", "source_sku": "TEA", "description": "Tea & Toast Box", "quantity": 1}],
    "target_at": "2026-12-01T00:00:00.000000Z",
    "due_at": "2026-12-01T00:00:00.000000Z",
    "next_attempt_at": None,
    "state_at": "2026-11-30T03:30:00.000000Z",
    "sent_at": None,
    "shipped_at": None,
    "confirmed_at": None,
}
_EVENT_EXAMPLE = {
    "id": "902",
    "at": "2026-11-30T03:30:00.000000Z",
    "kind": "found",
    "from_state": None,
    "to_state": "held",
    "reason": "unmapped_ship_code",
    "detail": None,
    "user": None,
}
DETAIL_EXAMPLE = {
    **EXAMPLE,
    "kind": "subscription",
    "text": REASONS["unmapped_ship_code"].text,
    "cure": REASONS["unmapped_ship_code"].cure,
    "detail": None,
    "order_ids": ["5001"],
    "subscription_id": "7021",
    "customer_id": "7001",
    "cycle": 3,
    "external_id": None,
    "attempts": 0,
    "first_seen_at": "2026-11-30T03:30:00.000000Z",
    "cratejoy_checked_at": "2026-11-30T03:30:00.000000Z",
    "warehouse_checked_at": None,
    "ship_to": None,
    "gift_message": None,
    "actions": ["release"],
    "packages": [],
    "events": [_EVENT_EXAMPLE],
}
OrderPage = page_of(OrderSchema, "OrderPage")
