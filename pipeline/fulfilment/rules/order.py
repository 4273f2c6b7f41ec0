"""Builds the order of one box, or says what holds it; and judges a shipment whole: its state, and its order."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from hashlib import sha256

from pipeline.core.fulfilment import Address, Kind, Line, Order, State, Totals
from pipeline.fulfilment.rules import gifts
from pipeline.fulfilment.rules.addresses import build_address
from pipeline.fulfilment.rules.countries import Format, format_country
from pipeline.fulfilment.rules.due_dates import DueDate, find_due_date
from pipeline.fulfilment.rules.eligibility import Verdict, judge
from pipeline.fulfilment.rules.lines import build_lines
from pipeline.fulfilment.rules.ship_codes import find_source_code, map_ship_code
from pipeline.fulfilment.rules.shipment import Buyer, Shipment, find_billing_type
from pipeline.fulfilment.rules.skus import NoSku, SuffixFacts
from pipeline.fulfilment.settings import FulfilmentSettings

_WITHOUT_DATE = frozenset(["batch_missing", "missing_date"])  # the reasons by which a box is held for want of a date


@dataclass(frozen=True, slots=True)
class Hold:
    """Why no order can be built. `fields`: names of fields, ids of fulfillments or the ship code; no personal data."""

    reason: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a shipment is, and its order as far as one can be built."""

    verdict: Verdict
    order: Order | None = field(default=None, repr=False)
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class Numbering:
    """What the ledger decided at first sight, or knows of the store."""

    order_number: str
    kind: Kind
    currency: str = "USD"
    country_format: Format = "alpha2"


def evaluate(
    shipment: Shipment,
    settings: FulfilmentSettings,
    numbering: Numbering,
    now: int,
    *,
    first_seen_at: int | None = None,
    released: Collection[str] = (),
) -> Evaluation:
    """Judge a shipment, and build its order. A box that would go, or only cools off, is HELD if no order can be built.

    From a row of a list, the address may be incomplete, so a bad one holds nothing: the reading by id decides.
    """
    verdict = judge(shipment, settings, now, first_seen_at=first_seen_at, released=released)
    built = build_order(shipment, settings, numbering, released=released)
    if isinstance(built, Order):
        return Evaluation(verdict, built)
    is_due = verdict.state is State.READY or verdict.reason == "cooling_off"
    is_sure = shipment.is_whole or built.reason != "invalid_address"
    if is_due and is_sure:
        verdict = replace(verdict, state=State.HELD, reason=built.reason, until=None)
    return Evaluation(verdict, None, built)


def build_order(
    shipment: Shipment, settings: FulfilmentSettings, numbering: Numbering, *, released: Collection[str] = ()
) -> Order | Hold:
    """Build the order of one box from its shipment alone. Whether it may go is for `judge` to say."""
    billing_type = find_billing_type(shipment) or ("ecom" if numbering.kind == "order" else "adhoc")
    due = find_due_date(shipment, billing_type, settings)
    is_gift = gifts.is_gift(shipment)
    has_prices = numbering.kind == "order" and not is_gift
    try:
        facts = SuffixFacts(_find_suffix_date(shipment, due, released), shipment.sub_cycle)
        lines = build_lines(shipment, facts, settings, has_prices=has_prices)
    except NoSku as error:
        return Hold(error.reason, (str(error.item_id),))
    if not lines:
        return Hold("missing_lines")
    source_code = find_source_code(shipment, numbering.kind, settings)
    ship_code = map_ship_code(source_code, settings, is_released="unmapped_ship_code" in released)
    if ship_code is None:
        return Hold("unmapped_ship_code", (source_code,))
    buyer = _find_buyer(shipment)
    email = gifts.find_recipient_email(shipment) if is_gift else buyer.email
    ship_to = build_address(shipment.ship_to, email)
    if isinstance(ship_to, tuple):
        return Hold("invalid_address", ship_to)
    message = gifts.find_message(shipment)
    ordered_at = _find_ordered_at(shipment)
    return Order(
        order_number=numbering.order_number,
        shipment_id=shipment.id,
        kind=numbering.kind,
        billing_type=billing_type,
        ordered_at=ordered_at,
        target_at=due.target_at if due.target_at is not None else ordered_at,
        ship_code=ship_code.code,
        carrier=ship_code.carrier,
        ship_to=replace(ship_to, country=format_country(ship_to.country, numbering.country_format)),
        lines=lines,
        fingerprint=make_fingerprint(ship_to, lines),
        order_ids=tuple(order.id for order in shipment.orders),
        subscription_id=next(iter(shipment.subscription_ids), None),
        customer_id=buyer.id if buyer.id is not None else shipment.customer_id,
        cycle=shipment.sub_cycle,
        bill_to_name=buyer.name,
        bill_to_email=buyer.email,
        is_gift=is_gift,
        gift_message=gifts.cut(message),
        uncut_gift_message=message if gifts.cut(message) != message else "",
        totals=_sum(shipment, numbering.currency, lines) if has_prices else Totals(numbering.currency),
    )


def _find_suffix_date(shipment: Shipment, due: DueDate, released: Collection[str]) -> int | None:
    """Return the date for a suffix: that of the box, or if a person released one without a date, its place in time."""
    if due.target_at is not None or not _WITHOUT_DATE.intersection(released):
        return due.target_at
    return shipment.adjusted_ordered_at if shipment.adjusted_ordered_at is not None else shipment.created_at


def make_fingerprint(ship_to: Address, lines: tuple[Line, ...]) -> str:
    """Return the SHA-256 of where a box goes and what is in it, in hex. `ship_to`: with its country as alpha-2."""
    address = [
        ship_to.name,
        ship_to.company,
        ship_to.address1,
        ship_to.address2,
        ship_to.city,
        ship_to.state,
        ship_to.zip,
        ship_to.country,
        ship_to.phone,
        ship_to.email,
    ]
    content = sorted([line.sku, line.quantity] for line in lines)
    canonical = json.dumps([address, content], ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode("utf-8", "replace")).hexdigest()


def _find_buyer(shipment: Shipment) -> Buyer:
    """Return who pays: the customer of the orders, or an empty one if they name several."""
    buyers = {order.buyer for order in shipment.orders}
    return buyers.pop() if len(buyers) == 1 else Buyer()


def _find_ordered_at(shipment: Shipment) -> int:
    times = [order.placed_at for order in shipment.orders if order.placed_at is not None]
    others = (shipment.created_at, shipment.adjusted_ordered_at, 0)
    return min(times) if times else next(time for time in others if time is not None)


def _sum(shipment: Shipment, currency: str, lines: tuple[Line, ...]) -> Totals:
    """Add up what is in this box: its Cratejoy order may pay for others, too."""
    subtotal = sum(line.unit_price * line.quantity for line in lines)
    shipping = sum(item.shipping for item in shipment.open_items)
    tax = sum(item.tax for item in shipment.open_items)
    return Totals(currency, subtotal, shipping, tax, 0, subtotal + shipping + tax)
