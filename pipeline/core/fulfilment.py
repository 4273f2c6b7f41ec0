"""Boxes on their way: what a warehouse is given to pack, what it reports back, and the states of an order.

An order here is one box: one Cratejoy shipment under one order number. Everything is plain data, the same for every
warehouse. Names and addresses are kept out of `repr`, so that no log has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["subscription", "order"]
BillingType = Literal["ecom", "adhoc", "standard"]


class State(StrEnum):
    """Where an order is. docs/warehouse.md draws the ways between the states."""

    DISCOVERED = "discovered"  # seen at Cratejoy, not due yet
    HELD = "held"  # waits for a reason that a person, or the shop, can end
    READY = "ready"  # goes out with the next delivery
    SENDING = "sending"  # committed before the call: its outcome is not known until it is written down
    UNKNOWN = "unknown"  # the call had no answer: looked up before anything else is done
    AT_WAREHOUSE = "at_warehouse"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"  # the warehouse says so; Cratejoy does not know yet
    CONFIRMING = "confirming"  # committed before Cratejoy is written to
    CONFIRMED = "confirmed"
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_REFUSED = "cancel_refused"  # too late; its tracking is still waited for
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # not for the warehouse, as the shop is set up now
    FAILED = "failed"  # tried for as long as it is tried: a person has to look
    SHIPPED_AFTER_CANCEL = "shipped_after_cancel"
    EXTERNALLY_SHIPPED = "externally_shipped"  # marked as shipped at Cratejoy by another than us
    CANCELLED_AT_WAREHOUSE = "cancelled_at_warehouse"


@dataclass(frozen=True, slots=True)
class Address:
    """Where one box goes, as this shipment has it: never taken from another shipment or from the customer."""

    name: str = field(repr=False)
    address1: str = field(repr=False)
    city: str = field(repr=False)
    country: str  # ISO 3166-1, upper case: alpha-2, or alpha-3 where the warehouse wants that
    company: str = field(default="", repr=False)
    address2: str = field(default="", repr=False)  # Cratejoy's `unit`
    state: str = field(default="", repr=False)
    zip: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)  # of the person who gets the parcel; never a giver's


@dataclass(frozen=True, slots=True)
class Line:
    """Equal things in one box."""

    line_no: int  # from 1
    sku: str  # as the warehouse knows it
    source_sku: str  # as Cratejoy has it
    description: str
    quantity: int
    fulfillment_ids: tuple[int, ...]  # Cratejoy's, ascending
    unit_price: int = 0  # minor units; 0 for subscription boxes and gifts


@dataclass(frozen=True, slots=True)
class Totals:
    """Minor units. All 0 for gifts and for subscription boxes, whose Cratejoy order pays for several boxes."""

    currency: str = "USD"
    subtotal: int = 0
    shipping: int = 0
    tax: int = 0
    discount: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """One box to be packed, as every warehouse adapter is given it."""

    order_number: str  # "SUB-123", "123", "SUB-123-R1": the key at the warehouse
    shipment_id: int
    kind: Kind
    billing_type: BillingType
    ordered_at: int  # µs
    target_at: int  # µs, the date it should leave on
    ship_code: str  # as mapped
    ship_to: Address
    lines: tuple[Line, ...]
    fingerprint: str
    order_ids: tuple[int, ...] = ()
    subscription_id: int | None = None
    customer_id: int | None = None
    cycle: int | None = None  # 1-based, over the whole subscription
    carrier: str = ""  # with `ship_code`, where the mapping names both
    bill_to_name: str = field(default="", repr=False)
    bill_to_email: str = field(default="", repr=False)
    is_gift: bool = False
    gift_message: str = field(default="", repr=False)  # at most 500 characters
    uncut_gift_message: str = field(default="", repr=False)  # the whole, if it is longer; not for warehouses
    totals: Totals = Totals()


@dataclass(frozen=True, slots=True)
class Package:
    """One parcel with its tracking number, upper case and without spaces."""

    tracking_number: str
    carrier: str = ""
    method: str = ""
    url: str = ""
    shipped_at: int | None = None  # µs
    lines: tuple[tuple[str, int], ...] = ()  # (SKU, quantity); advisory: warehouses over- and under-state them


# stopped: the warehouse cannot go on with it before a person has mended something there.
Progress = Literal["open", "partial", "shipped", "cancelled", "stopped"]


@dataclass(frozen=True, slots=True)
class WarehouseOrder:
    """An order as the warehouse has it. `content`: what shows whether it is the same box, None if it was not shown."""

    order_number: str
    external_id: str
    progress: Progress
    packages: tuple[Package, ...] = ()
    content: Content | None = None
    fingerprint: str = ""  # ours, where the warehouse keeps it and gives it back
    version: str = ""  # the warehouse's own, such as an ETag
    note: str = ""  # a code of the warehouse, without personal data
    complaint: str = field(default="", repr=False)  # why it is stopped, in the warehouse's words, which may quote it


@dataclass(frozen=True, slots=True)
class Content:
    """What is compared: warehouses normalise addresses, so only these parts of them count."""

    lines: tuple[tuple[str, int], ...]  # (SKU, quantity), sorted
    zip: str = field(default="", repr=False)
    name: str = field(default="", repr=False)


# What an adapter answers.


@dataclass(frozen=True, slots=True)
class Created:
    """The warehouse took the order."""

    external_id: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class AlreadyExists:
    """The warehouse has an order of this number. `found` as far as the answer shows it; else it is looked up."""

    found: WarehouseOrder | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    """Refused until something is changed. `fields`: (where, why), codes and names of fields, no values."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Retryable:
    """Nothing was done, or doing it again is harmless.

    `may_be_done`: doing it again is harmless, but it may have been done: the warehouse has to be asked to cancel, too.
    """

    reason: str
    after_s: float | None = None  # what the warehouse asked for
    may_be_done: bool = False


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Not called, or refused for the rate: the whole connection waits, and it counts as no attempt.

    `doubles`: the warehouse named no time, so each further refusal in a row waits twice as long (`get_wait_s`).
    """

    after_s: float
    doubles: bool = False


@dataclass(frozen=True, slots=True)
class AuthError:
    """The keys are refused, a role is missing, or the address is not the warehouse's: the connection pauses."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """It may have been done. Looked up before anything is done again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The warehouse will not send it."""


@dataclass(frozen=True, slots=True)
class CancelPending:
    """The warehouse took the request and does not say yet that it will not send it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Too late, or not allowed. `reason`: the warehouse's code."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The warehouse has no order of this number."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The warehouse has no such function."""


@dataclass(frozen=True, slots=True)
class ShippedPage:
    """A part of what was shipped. `cursor`: where the next part begins; empty after the last."""

    orders: tuple[WarehouseOrder, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a warehouse has said of one order by itself, and signed. `message_id` is that of each repetition, too."""

    message_id: str
    order: WarehouseOrder | None = None  # None: a kind of message that is of no interest here
    refusal: Invalid | None = None  # the warehouse will not send the order


@dataclass(frozen=True, slots=True)
class PushRefused:
    """A message that is not taken. `signature`: not signed with a secret of ours, or too old. `malformed`: no JSON."""

    kind: Literal["signature", "malformed"]
    reason: str


@dataclass(frozen=True, slots=True)
class WarehouseCall:
    """One HTTP call as the ledger stores it: no body, and no URL with a number in it."""

    method: str
    path: str  # a template, such as "/cart/orders/{cust_ref}"
    status: int | None  # None: no response
    started_at: int  # µs
    duration_us: int
    support_id: str = ""  # the warehouse's own id of the call, for its support
    error: str | None = None  # a short code


Trouble = Retryable | RateLimited | AuthError
CreateAnswer = Created | AlreadyExists | Invalid | OutcomeUnknown | Trouble
FindAnswer = WarehouseOrder | NotFound | Trouble
ShippedAnswer = ShippedPage | Trouble
CancelAnswer = Cancelled | CancelPending | Refused | NotFound | Unsupported | OutcomeUnknown | Trouble
AcknowledgeAnswer = None | Trouble | Invalid
CheckAnswer = dict[str, Any] | Trouble  # facts to show, such as the warehouse's name for the account
PushAnswer = Pushed | PushRefused | Unsupported

MAX_RATE_WAIT_S = 900.0
_MAX_DOUBLINGS = 20


def get_wait_s(limited: RateLimited, in_a_row: int) -> float:
    """Return how long the connection waits after this refusal. `in_a_row`: how many there were before it."""
    factor = 1 << min(in_a_row, _MAX_DOUBLINGS) if limited.doubles else 1
    return min(limited.after_s * factor, max(limited.after_s, MAX_RATE_WAIT_S))
