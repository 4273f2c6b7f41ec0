"""Changes whose data a store forwards. Every change records who made it and when."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from pipeline.core.consent import (
    GIFT_RECIPIENT_POLICIES,
    MARKETPLACE_POLICIES,
    GiftRecipientPolicy,
    MarketplacePolicy,
)
from pipeline.core.errors import Misconfigured
from pipeline.ledger.consent import save_gift_recipients, save_marketplace_policy, save_sources

MAX_SOURCES = 100
MAX_SOURCE_CHARS = 100


def set_marketplace_policy(
    conn: Connection, store_id: int, policy: MarketplacePolicy, decided_by: str, now: int
) -> None:
    """Choose what leaves about customers who are known only from Cratejoy's Marketplace.

    `decided_by`: a user's id as text, or `COMMAND_LINE`. Raise Misconfigured if there is no such policy.
    """
    _require_choice("what to do with Marketplace customers", policy, MARKETPLACE_POLICIES)
    save_marketplace_policy(conn, store_id, policy, decided_by, now)


def answer_sources(
    conn: Connection,
    store_id: int,
    marketplace: Collection[str],
    storefront: Collection[str],
    decided_by: str,
    now: int,
) -> None:
    """Say which `source` values of orders and subscriptions mean Marketplace, and which the store's own shop.

    Values are texts: 2 and "2" are one. Raise Misconfigured if one is on both lists, or unusable.
    """
    theirs, ours = (sorted({value.strip() for value in values}) for values in (marketplace, storefront))
    both = set(theirs).intersection(ours)
    if both:
        raise Misconfigured(f"a source is either Marketplace or storefront, not both: {', '.join(sorted(both))}")
    if len(theirs + ours) > MAX_SOURCES or not all(0 < len(value) <= MAX_SOURCE_CHARS for value in theirs + ours):
        raise Misconfigured(f"name at most {MAX_SOURCES} sources, each of 1 to {MAX_SOURCE_CHARS} characters")
    save_sources(conn, store_id, theirs, ours, decided_by, now)


def set_gift_recipients(
    conn: Connection, store_id: int, policy: GiftRecipientPolicy, decided_by: str, now: int
) -> None:
    """Choose whether gift recipients who are not customers themselves get a profile and events.

    Raise Misconfigured if there is no such choice.
    """
    _require_choice("what to do with gift recipients", policy, GIFT_RECIPIENT_POLICIES)
    save_gift_recipients(conn, store_id, policy, decided_by, now)


def _require_choice(question: str, choice: str, choices: Collection[str]) -> None:
    if choice not in choices:
        raise Misconfigured(f"{question} is one of: {', '.join(choices)}; not {choice}")
