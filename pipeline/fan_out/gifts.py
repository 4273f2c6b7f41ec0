"""Finds the gift recipient of an event, in its body or in earlier bodies about the same order or subscription.

Gifting 3.0 and 2: the customer is the buyer, and `order_gift_info` or `subscription_gift_info` has the recipient.
Gifting 1.0: the recipient redeems a code and is the customer of a zero order with `received_gift`; the giver's
order has `sent_gift`. Shipments and later subscription events name no recipient: the known gifts do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_path
from pipeline.fan_out.consent import find_source
from pipeline.fan_out.customers import Customer, find_customer, get_fulfillments, get_orders
from schemas.email import is_email

Subject = tuple[str, int]  # ("order" | "subscription" | "shipment", id)


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift as a body shows it. `email` is what the buyer typed, normalised; it may be invalid."""

    email: str | None
    name: str | None = None
    message: str | None = None
    giver_first_name: str | None = None
    is_redeemed: bool = False  # Gifting 1.0: the customer of this order is the recipient
    source: str | None = None  # where the order or subscription comes from, as `pipeline.fan_out.consent` reads it

    def with_gaps_filled_from(self, other: Gift) -> Gift:
        """Return this gift with its gaps filled: an order may have only the message, its subscription the address.

        What the buyer typed and is no address is a gap.
        """
        return replace(
            self,
            email=self.email if is_email(self.email) else other.email or self.email,
            name=self.name or other.name,
            message=self.message or other.message,
            giver_first_name=self.giver_first_name or other.giver_first_name,
            source=self.source or other.source,
        )


KnownGifts = Mapping[Subject, Gift]


def find_subjects(row: EventRow, data: Mapping[str, Any]) -> tuple[Subject, ...]:
    """Return the shipment, subscriptions and orders that an event touches, nearest first."""
    found: list[tuple[str, object]] = []
    if row.subject in ("order", "subscription", "shipment"):
        found.append((row.subject, data.get("id")))
    if row.subject == "survey":
        found.append(("subscription", data.get("subscription_id")))
    found += [("subscription", item.get("subscription_id")) for item in get_fulfillments(data)]
    for order in get_orders(row, data):
        found.append(("order", order.get("id")))
        found += [("subscription", item.get("id")) for item in order.get("subscriptions") or ()]
    return tuple(dict.fromkeys((kind, number) for kind, number in found if isinstance(number, int)))


def find_gift_subjects(row: EventRow, data: Mapping[str, Any], gift: Gift) -> tuple[Subject, ...]:
    """Return the subjects to remember as this gift: those that surely are it, not others in the same parcel."""
    if gift.is_redeemed or not is_email(gift.email) or not (row.gift_copy or row.subject == "transaction"):
        return ()
    if row.subject != "shipment":
        return find_subjects(row, data)
    is_shared = len({item.get("subscription_id") for item in get_fulfillments(data)}) > 1
    return tuple(subject for subject in find_subjects(row, data) if subject[0] == "shipment" or not is_shared)


def read_gift(row: EventRow, data: Mapping[str, Any]) -> Gift | None:
    """Return the gift that this body itself shows, or None."""
    orders = get_orders(row, data)
    subscriptions = [item for order in orders for item in order.get("subscriptions") or ()]
    found = [_read_order_gift(order) for order in orders]
    found += [_read_subscription_gift(item) for item in (data, *subscriptions)]
    if row.subject == "shipment" and data.get("is_gift"):
        found.append(Gift(None))
    gifts = [gift for gift in found if gift is not None]
    if not gifts:
        return None
    gift = gifts[0]
    for other in gifts[1:]:
        is_to_another = is_email(gift.email) and is_email(other.email) and gift.email != other.email
        gift = gift if is_to_another else gift.with_gaps_filled_from(other)  # one parcel may hold gifts to two people
    buyer = find_customer(row, data)
    if gift.is_redeemed or buyer is None:
        return gift
    return gift.with_gaps_filled_from(Gift(None, giver_first_name=_first_name(buyer)))


def find_gift(
    row: EventRow, data: Mapping[str, Any], known_gifts: KnownGifts, subjects: tuple[Subject, ...] | None = None
) -> Gift | None:
    """Return the gift of this event: what its body shows, completed by the known gifts of its subjects.

    `subjects`: what the event touches, if that is known by now.
    """
    gift = read_gift(row, data)
    if not known_gifts:
        return gift
    subjects = find_subjects(row, data) if subjects is None else subjects
    if gift is not None and (gift.is_redeemed or is_email(gift.email)):
        known_sources = (known_gifts[subject].source for subject in subjects if subject in known_gifts)
        return gift if gift.source else replace(gift, source=next(filter(None, known_sources), None))
    if gift is None and row.subject == "order" and data.get("is_renewal"):
        return None  # the giver's next payment; the gift's subscription and boxes have events of their own
    for subject in subjects:
        known = known_gifts.get(subject)
        if known is not None:
            gift = known if gift is None else gift.with_gaps_filled_from(known)
    return gift


def _read_order_gift(order: Mapping[str, Any]) -> Gift | None:
    source = find_source(order)
    if isinstance(received := order.get("received_gift"), dict):
        return Gift(
            received.get("email"), received.get("name"), received.get("message"), is_redeemed=True, source=source
        )
    info = order.get("order_gift_info")
    if isinstance(info, dict) or order.get("is_gift"):
        return replace(_read_gift_info(info or {}, order.get("gift_message")), source=source)
    if isinstance(sent := order.get("sent_gift"), dict):
        return Gift(sent.get("email"), sent.get("name"), sent.get("message"), source=source)
    return None


def _read_subscription_gift(subscription: Mapping[str, Any]) -> Gift | None:
    info = subscription.get("subscription_gift_info")
    if not isinstance(info, dict):
        return None
    giver = get_path(info, "gift_sender.first_name")
    return replace(_read_gift_info(info, None), giver_first_name=giver, source=find_source(subscription))


def _read_gift_info(info: Mapping[str, Any], older_message: str | None) -> Gift:
    message = info.get("gift_message") or older_message  # older orders have only `order.gift_message`
    return Gift(info.get("gift_recipient_email"), info.get("gift_recipient_name"), message)


def _first_name(customer: Customer) -> str | None:
    name = customer.fields.get("first_name")
    return name if isinstance(name, str) else None
