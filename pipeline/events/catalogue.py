"""The event table: what Cratewire knows about each of Cratejoy's 17 events, one row each.

No other module names an event, except where a single event changes the facts about a person. Names, triggers and
models are from Cratejoy's hook page. Which events are forwarded by default is from Customer.io's page about Cratejoy,
which has 14 rows and lists `shipment_cancelled` twice: its second row describes a cancelled subscription.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. Paths are dotted and lead into the loaded body."""

    name: str
    schema: str  # loads its body
    subject: str | None  # the model it is about
    description: str
    at: str = ""  # path of the subject; empty: the body itself
    # Fields of the subject that identify the event; empty: the canonical body does.
    identity: tuple[str, ...] = ()
    is_windowed: bool = False  # the same identity a day later is a new event
    occurred: tuple[str, ...] = ()  # paths below the subject of when it happened; empty: when the hook was received
    buyer: tuple[str, ...] = ("customer",)  # paths of the customer; empty: the event concerns no person
    gift_copy: bool = False  # a gift recipient gets a copy
    forwarded: bool = True  # goes to platforms unless the store's settings say otherwise


_ROWS = (
    EventRow(
        "checkout_failed",
        "checkout_hook",
        "checkout",
        "A visitor tried to check out and could not, because of a wrong entry or a declined payment.",
        at="order",
        # An order id may be null, and one cart may fail twice: only the body distinguishes attempts.
        is_windowed=True,
        buyer=("customer", "order.customer"),
    ),
    EventRow(
        "customer_new",
        "customer",
        "customer",
        "A customer registered with the store.",
        identity=("id",),
        buyer=("",),
    ),
    EventRow(
        "address_updated",
        "customer",
        "customer",
        "A customer's address changed.",
        is_windowed=True,
        buyer=("",),
    ),
    EventRow(
        "billing_updated",
        "customer",
        "customer",
        "A customer's payment method changed.",
        is_windowed=True,
        buyer=("",),
    ),
    EventRow(
        "design_updated",
        "design_hook",
        None,
        "A file of the shop's theme changed.",
        is_windowed=True,
        buyer=(),
        forwarded=False,
    ),
    EventRow(
        "inventory_updated",
        "inventory_hook",
        "inventory",
        "The stock of a product changed.",
        at="inventory",
        is_windowed=True,
        buyer=(),
        forwarded=False,
    ),
    EventRow(
        "order_updated",
        "order",
        "order",
        "An order was cancelled or changed its status.",
        is_windowed=True,
        gift_copy=True,
    ),
    EventRow(
        "order_new",
        "order",
        "order",
        "An order was placed.",
        identity=("id",),
        occurred=("placed_at",),
        gift_copy=True,
    ),
    EventRow(
        "shipment_cancelled",
        "shipment",
        "shipment",
        "The merchant cancelled a shipment.",
        identity=("id",),
        gift_copy=True,
    ),
    EventRow(
        "shipment_shipped",
        "shipment",
        "shipment",
        "A box was marked as shipped.",
        identity=("id",),
        occurred=("shipped_at",),
        gift_copy=True,
    ),
    EventRow(
        "subscription_cancelled",
        "subscription",
        "subscription",
        "A subscription was cancelled; paid boxes may still be due until its end date.",
        # The end date stays through a cancellation: a second one in the same paid period is the same event.
        identity=("id", "end_date"),
        gift_copy=True,
    ),
    EventRow(
        "subscription_new",
        "subscription",
        "subscription",
        "A subscription began.",
        identity=("id",),
        occurred=("start_date",),
        gift_copy=True,
    ),
    EventRow(
        "subscription_renew_failed",
        "subscription",
        "subscription",
        "A renewal could not be charged on its date.",
        # The end date does not move while the charge is tried again, so another day is another failure.
        identity=("id", "end_date"),
        is_windowed=True,
        gift_copy=True,
    ),
    EventRow(
        "subscription_renewed",
        "subscription",
        "subscription",
        "A subscription was paid for another cycle; its end date is the new one.",
        # The id alone would make every renewal after the first a repeat.
        identity=("id", "end_date"),
        gift_copy=True,
    ),
    EventRow(
        "subscription_updated",
        "subscription",
        "subscription",
        "A subscription's variant, term or product changed for the next renewal.",
        is_windowed=True,
        gift_copy=True,
    ),
    EventRow(
        "transaction_new",
        "transaction_hook",
        "transaction",
        "Money moved, failed to move or went back.",
        at="transaction",
        identity=("id",),
        occurred=("created_at",),
        buyer=("order.customer", "customer"),
    ),
    EventRow(
        "shipment_address_updated",
        "shipment",
        "shipment",
        "The address of a shipment changed.",
        is_windowed=True,
        gift_copy=True,
        forwarded=False,
    ),
)

EVENTS: dict[str, EventRow] = {row.name: row for row in _ROWS}


def get_event_row(name: str) -> EventRow:
    """Return the event's row; an unknown event gets a row that records it and forwards nothing."""
    return EVENTS.get(name) or EventRow(
        name, "any", None, "An event this version does not know.", is_windowed=True, buyer=(), forwarded=False
    )


def is_known_event(name: str) -> bool:
    """Return whether Cratejoy's hook page names the event."""
    return name in EVENTS


API_OBJECTS = {
    "customers": EventRow(
        "customer_listed", "customer", "customer", "A customer as the API lists it.", buyer=("",), forwarded=False
    ),
    "orders": EventRow(
        "order_listed", "order", "order", "An order as the API lists it.", gift_copy=True, forwarded=False
    ),
    "subscriptions": EventRow(
        "subscription_listed",
        "subscription",
        "subscription",
        "A subscription as the API lists it.",
        gift_copy=True,
        forwarded=False,
    ),
    "shipments": EventRow(
        "shipment_listed", "shipment", "shipment", "A shipment as the API lists it.", gift_copy=True, forwarded=False
    ),
    "product_survey_results": EventRow(
        "survey_listed", "survey", "survey", "The answers of a subscription as the API lists them.", forwarded=False
    ),
}


@cache
def strict_paths(row: EventRow) -> frozenset[str]:
    """Return the paths in a body that identify the event, its subject and its buyer, without indexes."""
    subject = (*row.identity, "id") if row.subject else row.identity
    return frozenset([*(_join_path(row.at, path) for path in subject), *filter(None, row.buyer)])


@cache
def strict_paths_for_model(model: str) -> frozenset[str] | None:
    """Return the same for an object of the API, for all events about it; None: no event is, so all must be readable."""
    rows = [row for row in EVENTS.values() if row.subject == model]
    return frozenset(["id", *(path for row in rows for path in row.identity)]) if rows else None


def _join_path(place: str, path: str) -> str:
    return f"{place}.{path}" if place else path
