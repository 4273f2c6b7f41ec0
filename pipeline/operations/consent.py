"""Changes whose data a store forwards. Every change records who made it and when."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from pipeline.core.consent import (
    GIFT_RECIPIENT_POLICIES,
    MARKETPLACE_POLICIES,
    GiftRecipientPolicy,
    MarketplacePolicy,
)
from pipeline.core.errors import Misconfigured
from pipeline.ledger.consent import record_decision, save_gift_recipients, save_marketplace_policy, save_sources
from pipeline.ledger.schema.core import Person, Store
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.rejudge import rejudge_people, release_person
from pipeline.recording.snapshot import RecordingStore

MAX_SOURCES = 100
MAX_SOURCE_CHARS = 100


def set_marketplace_policy(
    conn: Connection, store_id: int, policy: MarketplacePolicy, decided_by: str, now: int
) -> None:
    """Choose what leaves about customers who are known only from Cratejoy's Marketplace.

    Messages that wait about people who are withheld now stop; what was withheld until now is not sent afterwards.
    `decided_by`: a user's id as text, or `COMMAND_LINE`. Raise Misconfigured if there is no such policy.
    """
    _require_choice("what to do with Marketplace customers", policy, MARKETPLACE_POLICIES)
    save_marketplace_policy(conn, store_id, policy, decided_by, now)
    rejudge_people(conn, _lock_store(conn, store_id), now, sends_waiting=False)


def answer_sources(
    conn: Connection,
    store_id: int,
    marketplace: Collection[str],
    storefront: Collection[str],
    decided_by: str,
    now: int,
) -> None:
    """Say which `source` values of orders and subscriptions mean Marketplace, and which the store's own shop.

    People who only waited for this answer, and turn out to be of the storefront, get their profile and their events.
    Messages about the others stop. Values are texts: 2 and "2" are one. Raise Misconfigured if one is on both lists, or
    unusable.
    """
    theirs, ours = (sorted({value.strip() for value in values}) for values in (marketplace, storefront))
    both = set(theirs).intersection(ours)
    if both:
        raise Misconfigured(f"a source is either Marketplace or storefront, not both: {', '.join(sorted(both))}")
    if len(theirs + ours) > MAX_SOURCES or not all(0 < len(value) <= MAX_SOURCE_CHARS for value in theirs + ours):
        raise Misconfigured(f"name at most {MAX_SOURCES} sources, each of 1 to {MAX_SOURCE_CHARS} characters")
    save_sources(conn, store_id, theirs, ours, decided_by, now)
    rejudge_people(conn, _lock_store(conn, store_id), now, sends_waiting=True)


def set_gift_recipients(
    conn: Connection, store_id: int, policy: GiftRecipientPolicy, decided_by: str, now: int
) -> None:
    """Choose whether gift recipients who are not customers themselves get a profile and events.

    Raise Misconfigured if there is no such choice.
    """
    _require_choice("what to do with gift recipients", policy, GIFT_RECIPIENT_POLICIES)
    save_gift_recipients(conn, store_id, policy, decided_by, now)
    rejudge_people(conn, _lock_store(conn, store_id), now, sends_waiting=False)


def release(conn: Connection, store_id: int, person_id: int, decided_by: str, now: int) -> int:
    """Send the profile and the withheld events of one person after all, and record who decided that.

    Returns how many events are sent. Raise Misconfigured if the person is not withheld.
    """
    withheld = select(Person.withheld).where(Person.id == person_id, Person.store_id == store_id)
    reason = conn.execute(withheld).scalar()
    if reason is None:
        raise Misconfigured(f"person {person_id} is not withheld")
    record_decision(conn, store_id, "release", {"before": reason}, decided_by=decided_by, now=now, person_id=person_id)
    return release_person(conn, _lock_store(conn, store_id), person_id, decided_by, now)


def _lock_store(conn: Connection, store_id: int) -> RecordingStore:
    """The store, locked: nothing is recorded for it until the transaction ends."""
    name = conn.execute(select(Store.name).where(Store.id == store_id)).scalar_one()
    return load_stores_by_name(conn, [name])[name]


def _require_choice(question: str, choice: str, choices: Collection[str]) -> None:
    if choice not in choices:
        raise Misconfigured(f"{question} is one of: {', '.join(choices)}; not {choice}")
