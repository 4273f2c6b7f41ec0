"""The settings of a store that say whose data may leave, and why a person's data does not."""

from __future__ import annotations

from typing import Literal, get_args

# withhold: nothing about them leaves. profile_without_address: profiles and events that hold no address.
# forward: as about all other customers; the merchant says that these agreed to it.
MarketplacePolicy = Literal["withhold", "profile_without_address", "forward"]
MARKETPLACE_POLICIES: tuple[MarketplacePolicy, ...] = get_args(MarketplacePolicy)

# Of gift recipients who are not customers themselves.
GiftRecipientPolicy = Literal["profile", "withhold"]
GIFT_RECIPIENT_POLICIES: tuple[GiftRecipientPolicy, ...] = get_args(GiftRecipientPolicy)

# Why no message about a person is written.
WithheldReason = Literal["withheld_marketplace", "withheld_origin_unknown", "withheld_gift_recipient"]
WITHHELD_REASONS: tuple[WithheldReason, ...] = get_args(WithheldReason)
MARKETPLACE: WithheldReason = "withheld_marketplace"
ORIGIN_UNKNOWN: WithheldReason = "withheld_origin_unknown"

MAX_SOURCE_CHARS = 100


def format_source(value: object) -> str | None:
    """A `source` value as text: 2 and "2" are one. None if there is none, or nothing that can be named in a list."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip() if isinstance(value, str) or abs(value) < 10**MAX_SOURCE_CHARS else ""
    return text if 0 < len(text) <= MAX_SOURCE_CHARS and text.isprintable() else None


COMMAND_LINE = "command line"  # who decided, where it was no user of the pages
