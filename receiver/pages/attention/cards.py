"""The cards of the attention page: an item in words, with the one button that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from pipeline.attention.item import AttentionItem
from pipeline.attention.remedies import REMEDIES, Action, Place
from pipeline.ledger.monitoring.rows import OPERATOR, AlarmRow

DAY_US = 86_400_000_000

# A place of the table of remedies -> the endpoints that show it, the best first; the first that exists is used.
_PLACES: Mapping[Place, Sequence[str]] = {
    "keys": ("connect.show",),
    "settings": ("store_settings.show",),
    "refused": ("replays.new", "activity.show"),
    "unreadable": ("activity.show",),
    "removal": ("store_removal.ask",),
    "example": ("activity.event",),
    "events": ("activity.show",),
}
# Place -> the arguments of its address.
_ARGUMENTS: Mapping[Place, Mapping[str, str]] = {
    "keys": {"store": "{store}"},
    "settings": {"name": "{store}"},
    "refused": {"store": "{store}", "show": "refused"},
    "unreadable": {"store": "{store}", "show": "unreadable"},
    "removal": {"name": "{store}"},
    "example": {"event_id": "{event}"},
    "events": {"store": "{store}", "event": "{event_name}"},
}


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
        remedy.group,
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
    endpoint = next((name for name in _PLACES[place] if name in current_app.view_functions), None)
    if endpoint is None or item.store is None:
        return None
    facts = {"store": item.store, "event": item.facts.get("event", ""), "event_name": item.facts.get("event_name", "")}
    arguments: dict[str, Any] = {name: value.format(**facts) for name, value in _ARGUMENTS[place].items()}
    if "event_id" in arguments:
        if not str(arguments["event_id"]).isdigit():
            return None
        arguments["event_id"] = int(arguments["event_id"])
    return Link(words, url_for(endpoint, **arguments))
