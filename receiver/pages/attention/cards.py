"""The cards of the attention page: an item in words, with the one button that mends it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import url_for

from pipeline.attention.item import AttentionItem
from pipeline.attention.remedies import REMEDIES, Action, Place
from pipeline.ledger.monitoring.rows import OPERATOR, AlarmRow
from receiver.row_ids import parse_row_id

DAY_US = 86_400_000_000

# A place of the table of remedies -> the endpoint that shows it, and the arguments of its address.
_PLACES: Mapping[Place | Literal["box"], tuple[str, Mapping[str, str]]] = {
    "keys": ("connect.show", {"store": "{store}"}),
    "settings": ("store_settings.show", {"name": "{store}"}),
    "refused": ("activity.show", {"store": "{store}", "show": "refused"}),
    "unreadable": ("activity.show", {"store": "{store}", "show": "unreadable"}),
    "retry_refused": ("replays.new", {"store": "{store}", "show": "refused"}),
    "retry_unreadable": ("replays.new", {"store": "{store}", "hooks": "1"}),
    "removal": ("store_removal.ask", {"name": "{store}"}),
    "example": ("activity.event", {"event_id": "{event}"}),
    "events": ("activity.show", {"store": "{store}", "event": "{event_name}"}),
    "boxes": ("orders.show", {"store": "{store}", "show": "{boxes}", "reason": "{box_reason}"}),
    "box": ("orders.show_box", {"name": "{store}", "order_number": "{order_number}"}),
    "tracking": ("tracking.show", {"name": "{store}"}),
    "warehouse": ("warehouse.show", {"name": "{store}"}),
}
# What an address may name besides the store: facts of the item.
_NAMED = ("event", "event_name", "boxes", "box_reason", "order_number")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Link:
    """A way on: its words and its address."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Card:
    """An item as the page shows it. `action`: what its button does; None: it is a link, or others have to act."""

    item: AttentionItem
    group: str
    can_act: bool
    action: Action | None
    button: str
    link: Link | None
    more: Link | None
    command: str
    asks: bool
    pressed: bool

    @property
    def to_do(self) -> Sequence[tuple[str, bool]]:
        """What to do, as (text, whether it is a command)."""
        return [(part, bool(place % 2)) for place, part in enumerate(_CODE.split(self.item.to_do)) if part]

    @property
    def is_for_operator(self) -> bool:
        """Whether only the people who run this installation can mend it."""
        return self.item.audience == OPERATOR


@dataclass(frozen=True, slots=True)
class Ended:
    """An item that is over, with how long it lasted (µs) and what it has cost."""

    headline: str
    since: int
    ended_at: int
    cost: str
    by_itself: bool


def build_card(item: AttentionItem, *, can_act: bool) -> Card:
    """The card of an item. `can_act`: whether the user may press its buttons."""
    remedy = REMEDIES[item.cause]
    return Card(
        item,
        f"{remedy.group[0].upper()}{remedy.group[1:]}",
        can_act,
        remedy.action if can_act else None,
        remedy.button,
        _build_link(remedy.button, remedy.leads_to, item) if remedy.leads_to else None,
        _build_link(*remedy.more, item) if remedy.more and can_act else None,
        item.facts.get("command") or remedy.format_command(item),
        bool(remedy.asks),
        bool(item.facts.get("pressed")),
    )


def build_ended(row: AlarmRow, headline: str) -> Ended:
    """What the page says of an alarm that is over."""
    ended_at = row.ended_at or row.since
    since = min(row.last_at or row.since, ended_at)
    return Ended(headline, since, ended_at, row.said.get("over", ""), not row.said.get("pressed"))


def _build_link(words: str, place: Place, item: AttentionItem) -> Link | None:
    if item.store is None:
        return None
    facts = {"store": item.store, **{name: item.facts.get(name, "") for name in _NAMED}}
    endpoint, wanted = _PLACES["box" if place == "boxes" and facts["order_number"] else place]
    arguments: dict[str, Any] = {name: value.format(**facts) or None for name, value in wanted.items()}
    if "event_id" in arguments:
        arguments["event_id"] = parse_row_id(arguments["event_id"] or "")
        if arguments["event_id"] is None:
            return None
    return Link(words, url_for(endpoint, **arguments))
