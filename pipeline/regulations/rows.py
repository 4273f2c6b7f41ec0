"""Empties the rows about a person: messages, facts, keys, gifts, and the person itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, delete, select, update

from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.facts import KnownFacts
from pipeline.ledger.deliveries.stopped import empty_messages
from pipeline.ledger.schema.core import Delivery, EventPerson, Fact, Gift, Person, PersonKey, Store
from pipeline.ledger.schema.history import AttributeChange
from pipeline.ledger.schema.rollups import FactRollup
from pipeline.ledger.schema.search import PersonTerm
from pipeline.ledger.sql.tables import chunks, select_by_keys
from pipeline.recording.sources import load_rules
from pipeline.redaction.body import Redaction
from pipeline.redaction.text import split_words
from pipeline.regulations.people import FoundPerson

GIVER, GIFT_RECEIVED = "giver_first_name", "gift_received"
GIVER_ATTRIBUTE = "gift_sender_first_name"


def empty_rows(conn: Connection, person_id: int | None) -> Counter[str]:
    """Empty the person's messages, facts, keys and attributes, of now and before; returns how many rows of each."""
    if person_id is None:
        return Counter()
    conn.execute(delete(PersonTerm).where(PersonTerm.person_id == person_id))
    conn.execute(delete(FactRollup).where(FactRollup.person_id == person_id))
    facts = delete(Fact).where(Fact.person_id == person_id).returning(Fact.kind)
    keys = delete(PersonKey).where(PersonKey.person_id == person_id).returning(PersonKey.kind)
    changes = delete(AttributeChange).where(AttributeChange.person_id == person_id).returning(AttributeChange.id)
    counts = Counter(
        {
            "attribute_changes": len(conn.execute(changes).all()),
            "messages": empty_messages(conn, person_id),
            "facts": len(conn.execute(facts).all()),
            "keys": len(conn.execute(keys).all()),
        }
    )
    nothing: dict[str, Any] = {"customer_id": None, "email": None, "attributes": {}, "untold_since": None}
    conn.execute(update(Person).where(Person.id == person_id).values(nothing))
    return counts


def redact_gifts_and_givers(conn: Connection, person: FoundPerson, event_ids: Collection[int]) -> Counter[str]:
    """Take the person out of gifts, and their first name out of what is known about the recipients of their gifts."""
    counts: Counter[str] = Counter()
    redaction = Redaction("mention", person.identity, frozenset(split_words(person.identity.names)))
    for part in chunks(sorted(person.identity.emails)):
        received = Gift.store_id == person.store.id, Gift.email.in_(part)
        emptied = update(Gift).where(*received).values(email=None, data={})
        counts["gifts"] += len(conn.execute(emptied.returning(Gift.subject_id)).all())
    gift = Gift.__table__.c
    by = gift.store_id, gift.kind, gift.subject_id
    given = [(person.store.id, *subject) for subject in person.identity.bought]
    for row in select_by_keys(conn, (*by, gift.data), by, given):
        data = redaction.blank_texts({key: value for key, value in row.data.items() if key != GIVER})
        where = Gift.store_id == row.store_id, Gift.kind == row.kind, Gift.subject_id == row.subject_id
        if row.data:
            conn.execute(update(Gift).where(*where).values(data=data))
            counts["gifts"] += 1
    for part in chunks(sorted(event_ids)):
        others = EventPerson.event_id.in_(part), EventPerson.person_id != (person.person_id or 0)
        for other in set(conn.execute(select(EventPerson.person_id).where(*others)).scalars()):
            counts["people_of_gifts"] += _forget_giver(conn, person, other, redaction)
    return counts


def _forget_giver(conn: Connection, person: FoundPerson, other_id: int, redaction: Redaction) -> bool:
    """Remove the giver's first name from a recipient's facts and attributes. Returns whether it was there."""
    known: KnownFacts = defaultdict(dict)
    words, is_changed = split_words(person.identity.names), False
    for row in conn.execute(select(Fact.kind, Fact.subject, Fact.data).where(Fact.person_id == other_id)):
        known[row.kind, row.subject] = row.data
        named = row.data.get(GIVER) if row.kind == GIFT_RECEIVED else None
        if named is not None and not words.isdisjoint(split_words([str(named[1])])):
            left = {key: value for key, value in row.data.items() if key != GIVER} or {"known": [named[0], True]}
            where = Fact.person_id == other_id, Fact.kind == row.kind, Fact.subject == row.subject
            conn.execute(update(Fact).where(*where).values(data=left))
            known[row.kind, row.subject], is_changed = left, True
    if is_changed:
        # As recording builds them: whom the store's consent rules protect is not named in the erased person's place.
        row = conn.execute(select(Store.__table__).where(Store.id == person.store.id)).one()
        rules = load_rules(conn, row)
        attributes = build_attributes(known, person.store.name, person.store.currency, rules)
        email = conn.execute(select(Person.email).where(Person.id == other_id)).scalar()
        attributes |= {"email": email} if email else {}
        # No profile contains the change yet: the next one about them does.
        changed = {"attributes": attributes, "untold_since": Person.known_at}
        conn.execute(update(Person).where(Person.id == other_id).values(changed))
    _redact_history(conn, other_id, redaction)
    if is_changed:
        _redact_profiles(conn, other_id, redaction)
    return is_changed


def _redact_history(conn: Connection, other_id: int, redaction: Redaction) -> None:
    """Take the giver's name out of what the recipient's attributes were before."""
    for row in conn.execute(
        select(AttributeChange.id, AttributeChange.data).where(AttributeChange.person_id == other_id)
    ):
        redacted = redaction.blank_texts({key: value for key, value in row.data.items() if key == GIVER_ATTRIBUTE})
        if redacted.get(GIVER_ATTRIBUTE) != row.data.get(GIVER_ATTRIBUTE):
            changed = update(AttributeChange).where(AttributeChange.id == row.id)
            conn.execute(changed.values(data={**row.data, GIVER_ATTRIBUTE: None}))


def _redact_profiles(conn: Connection, other_id: int, redaction: Redaction) -> None:
    """Take the giver's name out of the recipient's profiles."""
    mine = Delivery.person_id == other_id, Delivery.kind == "profile"
    for row in conn.execute(select(Delivery.id, Delivery.message).where(*mine)).all():
        data = row.message.get("data", {})
        redacted = redaction.blank_texts({key: value for key, value in data.items() if key == GIVER_ATTRIBUTE})
        if redacted:
            conn.execute(
                update(Delivery)
                .where(Delivery.id == row.id)
                .values(message={**row.message, "data": data | redacted}, packed=None)
            )
