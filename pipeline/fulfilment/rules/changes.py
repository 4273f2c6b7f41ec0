"""What the shop changed after a box was sent or refused, by comparing the order then with the order now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from pipeline.core.fulfilment import Address, Order
from pipeline.fulfilment.rules.countries import find_country
from pipeline.fulfilment.rules.order import Hold

DATE_MOVED = "date_moved"
CHANGES = ("address_changed", "lines_changed", "gift_changed", DATE_MOVED)
_MARK_CHARACTERS = 8  # too short to find an address by, and enough to know it from another


def find_changes(sent: Order, now: Order) -> tuple[str, ...]:
    """Return the codes of what Cratejoy has otherwise now; empty if it is the same box.

    The content is compared by Cratejoy's SKUs: a change of aliases, suffixes or codes in the settings is none of the
    shop, and touches only what is not sent. A date that was moved forward comes too late to matter.
    """
    is_changed = {
        "address_changed": _place(sent) != _place(now),
        "lines_changed": _content(sent) != _content(now),
        "gift_changed": _gift(sent) != _gift(now),
        DATE_MOVED: now.target_at > sent.target_at,
    }
    return tuple(code for code, changed in is_changed.items() if changed)


def mark_changes(sent: Order, now: Order) -> dict[str, str]:
    """Return the code of each change, with a short mark of what it was changed to, by which a further one is known."""
    parts: dict[str, Any] = {
        "address_changed": asdict(_place(now)),
        "lines_changed": sorted(_content(now).items()),
        "gift_changed": _gift(now),
        DATE_MOVED: now.target_at,
    }
    return {code: _mark(now.shipment_id, parts[code]) for code in find_changes(sent, now)}


def mark_hold(hold: Hold | None) -> dict[str, str]:
    """Return the mark of an address that is none to ship to any more; nothing for other holds: they may be ours."""
    if hold is None or hold.reason != "invalid_address":
        return {}
    return {"address_changed": ",".join(hold.fields)}


def find_news(marks: Mapping[str, str], said: Mapping[str, str]) -> tuple[str, ...]:
    """Return the codes of what is otherwise than a person was shown last. `said`: the marks of then.

    What was changed back is news, too: the warehouse may have been asked for what was wanted meanwhile. Only a date is
    not: that the box may leave as it was sent is nothing to ask for.
    """
    changed = [code for code, mark in marks.items() if said.get(code) != mark]
    back = [code for code in said if code not in marks and code != DATE_MOVED]
    return (*changed, *back)


def is_another_request(refused: Order, now: Order) -> bool:
    """Return whether the warehouse would be asked for something else than what it refused; mappings count here."""
    return replace(refused, totals=now.totals, ordered_at=now.ordered_at) != now


def _mark(shipment_id: int, part: Any) -> str:
    return sha256(json.dumps([shipment_id, part]).encode()).hexdigest()[:_MARK_CHARACTERS]


def _place(order: Order) -> Address:
    """Return where it goes: without the e-mail address, which is not the box's, and in one form of the country."""
    return replace(order.ship_to, email="", country=find_country(order.ship_to.country) or order.ship_to.country)


def _gift(order: Order) -> object:
    return order.is_gift, order.uncut_gift_message or order.gift_message


def _content(order: Order) -> Counter[str]:
    content: Counter[str] = Counter()
    for line in order.lines:
        content[line.source_sku] += line.quantity
    return content
