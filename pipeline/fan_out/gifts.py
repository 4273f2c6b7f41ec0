"""Whose gift an event is about: what the body says, and what earlier bodies said of the same order or subscription.

Gifting 3.0 and 2: the customer is the buyer; the recipient stands in `order_gift_info` or `subscription_gift_info`.
Gifting 1.0: the recipient redeems a code and is the customer of a zero order with `received_gift`; the giver's
order has `sent_gift`. Shipments and later subscription events carry no recipient: the memory answers for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.fan_out.customers import Customer, find_customer, get_fulfillments, get_orders
from schemas.email import is_email

Subject = tuple[str, int]  # ("order" | "subscription" | "shipment", id)


@dataclass(frozen=True, slots=True)
class Gift:
    """One gift as a body tells it. `email` is what the buyer typed, in its normal form, perhaps no address."""

    email: str | None
    name: str | None = None
    message: str | None = None
    giver_first_name: str | None = None
    is_redeemed: bool = False  # Gifting 1.0: the customer of this order is the recipient

    def with_gaps_filled_from(self, other: Gift) -> Gift:
        """This gift with its gaps filled: an order may carry only the message, its subscription the address."""
        return replace(
            self,
            email=self.email or other.email,
            name=self.name or other.name,
            message=self.message or other.message,
            giver_first_name=self.giver_first_name or other.giver_first_name,
        )


KnownGifts = Mapping[Subject, Gift]


def find_subjects(row: EventRow, data: Mapping[str, Any]) -> tuple[Subject, ...]:
    """The shipment, subscriptions and orders an event touches, nearest first."""
    found: list[tuple[str, object]] = []
    if row.subject in ("order", "subscription", "shipment"):
        found.append((row.subject, data.get("id")))
    found += [("subscription", one.get("subscription_id")) for one in get_fulfillments(data)]
    for order in get_orders(row, data):
        found.append(("order", order.get("id")))
        found += [("subscription", one.get("id")) for one in order.get("subscriptions") or ()]
    return tuple(dict.fromkeys((kind, one) for kind, one in found if isinstance(one, int)))


def find_gift_subjects(row: EventRow, data: Mapping[str, Any], gift: Gift) -> tuple[Subject, ...]:
    """What to remember as this gift: the subjects that are surely it, not whatever shares a parcel with it."""
    if gift.is_redeemed or not is_email(gift.email) or not (row.gift_copy or row.subject == "transaction"):
        return ()
    if row.subject != "shipment":
        return find_subjects(row, data)
    shared = len({one.get("subscription_id") for one in get_fulfillments(data)}) > 1
    return tuple(one for one in find_subjects(row, data) if one[0] == "shipment" or not shared)


def read_gift(row: EventRow, data: Mapping[str, Any]) -> Gift | None:
    """The gift this body itself tells of, or None."""
    told = [_read_order_gift(order) for order in get_orders(row, data)]
    inside = (one for order in get_orders(row, data) for one in order.get("subscriptions") or ())
    told += [_read_subscription_gift(holder) for holder in (data, *inside)]
    if row.subject == "shipment" and data.get("is_gift"):
        told.append(Gift(None))
    gifts = [gift for gift in told if gift is not None]
    if not gifts:
        return None
    gift = gifts[0]
    for other in gifts[1:]:
        gift = gift.with_gaps_filled_from(other)
    buyer = find_customer(row, data)
    return (
        gift
        if gift.is_redeemed or buyer is None
        else gift.with_gaps_filled_from(Gift(None, giver_first_name=_first_name(buyer)))
    )


def find_gift(row: EventRow, data: Mapping[str, Any], known_gifts: KnownGifts) -> Gift | None:
    """The gift of this event: what its body tells, completed by what is remembered of its subjects."""
    told = read_gift(row, data)
    if told is not None and (told.is_redeemed or is_email(told.email)):
        return told
    if told is None and row.subject == "order" and data.get("is_renewal"):
        return None  # the giver's next payment; the gift's subscription and boxes are told by their own events
    for remembered in _lookup_gifts(find_subjects(row, data), known_gifts):
        told = remembered if told is None else told.with_gaps_filled_from(remembered)
    return told


def _lookup_gifts(subjects: Iterable[Subject], known_gifts: KnownGifts) -> list[Gift]:
    return [known_gifts[subject] for subject in subjects if subject in known_gifts]


def _read_order_gift(order: Mapping[str, Any]) -> Gift | None:
    if isinstance(received := order.get("received_gift"), dict):
        return Gift(received.get("email"), received.get("name"), received.get("message"), is_redeemed=True)
    info = order.get("order_gift_info")
    if isinstance(info, dict) or order.get("is_gift"):
        return _read_gift_info(info or {}, order.get("gift_message"))
    if isinstance(sent := order.get("sent_gift"), dict):
        return Gift(sent.get("email"), sent.get("name"), sent.get("message"))
    return None


def _read_subscription_gift(subscription: Mapping[str, Any]) -> Gift | None:
    info = subscription.get("subscription_gift_info")
    if not isinstance(info, dict):
        return None
    return replace(_read_gift_info(info, None), giver_first_name=get_path(info, "gift_sender.first_name"))


def _read_gift_info(info: Mapping[str, Any], older_message: str | None) -> Gift:
    message = info.get("gift_message") or older_message  # `order.gift_message` is the older place
    return Gift(info.get("gift_recipient_email"), info.get("gift_recipient_name"), message)


def _first_name(customer: Customer) -> str | None:
    name = customer.fields.get("first_name")
    return name if isinstance(name, str) else None
