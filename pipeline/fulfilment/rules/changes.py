"""What the shop changed after a box was sent or refused, by comparing the order then with the order now."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pipeline.core.fulfilment import Order
from pipeline.fulfilment.rules.countries import find_country


def find_changes(sent: Order, now: Order) -> tuple[str, ...]:
    """Return the codes of what Cratejoy has otherwise now; empty if it is the same box.

    The content is compared by Cratejoy's SKUs: a change of aliases, suffixes or codes in the settings is none of the
    shop, and touches only what is not sent. A date that was moved forward comes too late to matter.
    """
    is_changed = {
        "address_changed": _place(sent) != _place(now),
        "lines_changed": _content(sent) != _content(now),
        "gift_changed": _gift(sent) != _gift(now),
        "date_moved": now.target_at > sent.target_at,
    }
    return tuple(code for code, changed in is_changed.items() if changed)


def is_another_request(refused: Order, now: Order) -> bool:
    """Return whether the warehouse would be asked for something else than what it refused; mappings count here."""
    return replace(refused, totals=now.totals, ordered_at=now.ordered_at) != now


def _place(order: Order) -> object:
    """Return where it goes: without the e-mail address, which is not the box's, and in one form of the country."""
    return replace(order.ship_to, email="", country=find_country(order.ship_to.country) or order.ship_to.country)


def _gift(order: Order) -> object:
    return order.is_gift, order.uncut_gift_message or order.gift_message


def _content(order: Order) -> Counter[str]:
    content: Counter[str] = Counter()
    for line in order.lines:
        content[line.source_sku] += line.quantity
    return content
