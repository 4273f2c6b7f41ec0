"""A person in one sentence: who they are to the shop, and what else there is to know about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.core.plural import pluralize
from pipeline.people.causes import format_date

_US_PER_S = 1_000_000
_Attributes = Mapping[str, Any]

_BY_STATUS: dict[str, tuple[str, str]] = {  # subscription status -> words, and the attribute with their time
    "active": ("subscriber since {}", "subscription_started_at"),
    "past_due": ("subscriber since {}, with a payment that failed", "subscription_started_at"),
    "paused": ("subscriber since {}, paused", "subscription_started_at"),
    "cancelled": ("cancelled the subscription on {}", "subscription_cancelled_at"),
    "expired": ("subscriber until {}", "subscription_ends_at"),
}


def describe_person(name: str | None, email: str | None, attributes: _Attributes, now: int) -> list[str]:
    """The parts of the sentence, for a page or a command to join: name, address, what they are, what else."""
    shown = [name or "", email or "", describe_role(attributes, now)]
    return [*filter(None, shown), *(text for describe in _MORE if (text := describe(attributes)))]


def describe_role(attributes: _Attributes, now: int) -> str:
    """What the person is to the shop, such as `subscriber since 30 January`; empty if nothing is known."""
    words, since = _BY_STATUS.get(attributes.get("subscription_status", ""), ("", ""))
    if words:
        return _dated(words, attributes.get(since), now)
    count = attributes.get("order_count") or 0
    if count:
        words = f"customer with {pluralize(count, 'order')}, the first on {{}}"
        return _dated(words, attributes.get("first_order_at"), now)
    return "registered" if attributes.get("created_at") and not attributes.get("gift_recipient") else ""


def _dated(words: str, at_s: object, now: int) -> str:
    """Put a date into the words; without one, leave out what would say it."""
    if isinstance(at_s, int):
        return words.format(format_date(at_s * _US_PER_S, now))
    head, _, tail = words.partition("{}")
    for ending in (" since ", ", the first on ", " on ", " until "):
        head = head.removesuffix(ending)
    return head + tail


def _describe_given(attributes: _Attributes) -> str:
    count = attributes.get("gifts_sent_count") or 0
    return f"also gave {pluralize(count, 'gift')}" if count else ""


def _describe_received(attributes: _Attributes) -> str:
    giver = attributes.get("gift_sender_first_name")
    words = f"received a gift from {giver}" if giver else "received a gift"
    return words if attributes.get("gift_recipient") else ""


def _describe_test(attributes: _Attributes) -> str:
    return "only seen in test orders" if attributes.get("is_test") else ""


_MORE: tuple[Callable[[_Attributes], str], ...] = (_describe_given, _describe_received, _describe_test)
