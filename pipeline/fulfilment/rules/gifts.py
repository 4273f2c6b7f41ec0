"""Gifts: whether a box is one, and what its message says. Nothing of the giver is on the parcel."""

from __future__ import annotations

import re
from unicodedata import category

from pipeline.fulfilment.rules.shipment import Shipment

MAX_MESSAGE_CHARACTERS = 500
_LINE_BREAKS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_MANY_LINES = re.compile(r"\n{3,}")
_KEPT = "\n\u200c\u200d"  # the joiners, which Persian names and emoji need
_DROPPED_CATEGORIES = {"Cc", "Cf", "Cs"}


def is_gift(shipment: Shipment) -> bool:
    """Return whether a box is a gift: the shipment, an order behind it, or Gifting 1.0's mark on an item says so."""
    return (
        shipment.is_gift
        or any(order.is_gift for order in shipment.orders)
        or any(item.is_gift for item in shipment.open_items)
    )


def find_message(shipment: Shipment) -> str:
    """Return the messages of the orders behind a gift, each once and cleaned, but not cut; empty without one."""
    if not is_gift(shipment):
        return ""
    messages = (clean_message(order.gift_message) for order in shipment.orders)
    return "\n".join(dict.fromkeys(filter(None, messages)))


def find_recipient_email(shipment: Shipment) -> str:
    """Return the recipient's address if one was named for the whole box, else an empty text: never the buyer's.

    An address that is the buyer's own is left out, too: notices about the parcel would spoil the gift.
    """
    named = {order.gift_recipient_email for order in shipment.orders}
    buyers = {order.buyer.email for order in shipment.orders}
    return named.pop() if len(named) == 1 and not named & buyers else ""


def clean_message(text: str) -> str:
    """Return the message trimmed, without control and invisible characters; line breaks stay, two at most in a row."""
    unbroken = _LINE_BREAKS.sub("\n", text).replace("\t", " ")
    visible = "".join(char for char in unbroken if char in _KEPT or category(char) not in _DROPPED_CATEGORIES)
    return _MANY_LINES.sub("\n\n", visible).strip()


def cut(text: str) -> str:
    """Return at most 500 characters, the last of them … if something was cut off."""
    return text if len(text) <= MAX_MESSAGE_CHARACTERS else f"{text[: MAX_MESSAGE_CHARACTERS - 1].rstrip()}…"
