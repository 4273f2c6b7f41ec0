"""A warehouse's own words about an order that it refuses, without the personal data of that order."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.core.fulfilment import Order
from pipeline.redaction.scrub import MAX_READ_CHARACTERS, scrub

_MIN_WORD_CHARACTERS = 3  # shorter words are in too many texts
_WORD = re.compile(r"\w+")


def scrub_refusal(text: str, order: Order) -> str:
    """Return the text, short, with "…" for every word of the order's names, addresses, phone numbers and message."""
    short = scrub(text[:MAX_READ_CHARACTERS])
    words = {word for value in _list_personal(order) for word in _WORD.findall(value.casefold())}
    kept = {word for line in order.lines for word in _WORD.findall(line.sku.casefold())}
    hidden = {word for word in words - kept if len(word) >= _MIN_WORD_CHARACTERS}
    return _WORD.sub(lambda match: "…" if match[0].casefold() in hidden else match[0], short)


def _list_personal(order: Order) -> Iterable[str]:
    to = order.ship_to
    return (
        to.name, to.company, to.address1, to.address2, to.city, to.zip, to.phone, to.email,
        order.bill_to_name, order.bill_to_email, order.gift_message,
    )  # fmt: skip
