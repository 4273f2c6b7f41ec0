"""Reads what the ledger knows of a batch: a handful of queries, however large the batch is.

Every function works inside the caller's transaction and returns plain values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, exists, literal, select

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.gifts import Gift
from pipeline.ledger.schema import core
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.schema.monitoring import Canary
from pipeline.ledger.schema.retention import PastEvent
from pipeline.ledger.sql.tables import chunks, select_by_keys
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.dead_letters import REVOKED
from pipeline.recording.dedup import get_candidate_keys
from pipeline.recording.gifts import find_gift_keys
from pipeline.recording.load_facts import list_touched_facts, load_all_facts, load_drafts, load_needed_facts
from pipeline.recording.lookups import KnownLookup, LookupDraft, LookupKey
from pipeline.recording.people import PersonDraft, PersonKey, PersonResolver, build_person_keys
from pipeline.recording.plan import resolve_people
from pipeline.recording.snapshot import (
    EarlierEvent,
    EventKey,
    GiftKey,
    KnownEvent,
    KnownGift,
    RecordingStore,
    StoredDeadLetter,
    WaitingDeadHook,
)

# Written into the SQL instead of being bound, as the partial index says it.
_IS_REVOKED = core.DeadHook.reason == literal(REVOKED, literal_execute=True)
_EVENTS_FOR_RECIPIENTS = tuple(row.name for row in EVENTS.values() if row.gift_copy)


def load_canary_nonces(conn: Connection, nonces: Collection[str]) -> set[str]:
    """Those of the nonces that are of our own canaries."""
    if not nonces:
        return set()
    return set(conn.execute(select(Canary.nonce).where(Canary.nonce.in_(nonces))).scalars())


def load_revoked_dead_letters(conn: Connection, stores: Collection[str]) -> dict[str, list[StoredDeadLetter]]:
    """The dead letters of revoked URLs by store name, the oldest first; a hundred of each store at most."""
    dead = core.DeadHook.__table__.c
    letters: dict[str, list[StoredDeadLetter]] = {store: [] for store in stores}
    for part in chunks(stores):
        query = select(dead.store, dead.id, dead.receipt, dead.detail).where(dead.store.in_(part), _IS_REVOKED)
        for store, letter_id, receipt, detail in conn.execute(query.order_by(dead.id)):
            letters[store].append(StoredDeadLetter(letter_id, receipt, detail))
    return letters


def load_waiting_dead_hooks(conn: Connection, receipts: Collection[str]) -> dict[str, WaitingDeadHook]:
    """The stored dead hooks with these receipts that were not replayed."""
    dead = core.DeadHook.__table__.c
    found: dict[str, WaitingDeadHook] = {}
    for part in chunks(receipts):
        query = select(dead.receipt, dead.store_id, dead.received_at, dead.event)
        for receipt, *values in conn.execute(query.where(dead.receipt.in_(part), dead.replayed_at.is_(None))):
            found[receipt] = WaitingDeadHook(*values)
    return found


def find_known_events(conn: Connection, keys: Collection[EventKey]) -> dict[EventKey, KnownEvent]:
    """The recorded events among these keys, also those that were deleted since."""
    event, past = core.Event.__table__.c, PastEvent.__table__.c
    by = past.store_id, past.happening
    rows = select_by_keys(conn, (*by, past.event_id, past.received_at), by, keys)
    known = {(row.store_id, row.happening): KnownEvent(row.event_id, row.received_at, "") for row in rows}
    by = event.store_id, event.happening
    rows = select_by_keys(conn, (*by, event.id, event.received_at, event.receipt), by, keys)
    return known | {(row.store_id, row.happening): KnownEvent(row.id, row.received_at, row.receipt) for row in rows}


def load_known_events(conn: Connection, candidates: Iterable[EventCandidate]) -> dict[EventKey, KnownEvent]:
    """The recorded events that these candidates may repeat."""
    return find_known_events(conn, {key for candidate in candidates for key in get_candidate_keys(candidate)})


def load_gifts(conn: Connection, candidates: Iterable[EventCandidate]) -> dict[GiftKey, KnownGift]:
    """The known gifts among all orders, subscriptions and shipments that these candidates touch."""
    gift = core.Gift.__table__.c
    by = gift.store_id, gift.kind, gift.subject_id
    rows = select_by_keys(conn, (*by, gift.email, gift.data, gift.as_of), by, find_gift_keys(candidates))
    return {
        (row.store_id, (row.kind, row.subject_id)): KnownGift(Gift(row.email, **row.data), row.as_of) for row in rows
    }


def load_earlier_events(conn: Connection, subjects: Iterable[GiftKey]) -> list[EarlierEvent]:
    """Recorded events of these gifts that have reached no gift recipient."""
    event, link, event_people = (model.__table__ for model in (core.Event, core.EventSubject, core.EventPerson))
    by = link.c.store_id, link.c.kind, link.c.subject_id
    keys = ((store_id, *subject) for store_id, subject in subjects)
    ids = {row.event_id for row in select_by_keys(conn, (link.c.event_id,), by, keys)}
    reached = exists().where(event_people.c.event_id == event.c.id, event_people.c.role == "gift_recipient")
    columns = [event.c[name] for name in EarlierEvent.__slots__]
    events: list[EarlierEvent] = []
    for part in chunks(sorted(ids)):
        query = select(*columns).where(event.c.id.in_(part), event.c.name.in_(_EVENTS_FOR_RECIPIENTS), ~reached)
        events += [EarlierEvent(**row._asdict()) for row in conn.execute(query)]
    return events


def load_lookups(conn: Connection, drafts: Iterable[LookupDraft]) -> dict[LookupKey, KnownLookup]:
    """The look-ups that were planned before, among these."""
    lookup = Lookup.__table__.c
    by = lookup.store_id, lookup.kind, lookup.subject_id
    rows = select_by_keys(conn, (*by, lookup.state, lookup.about), by, [draft.key for draft in drafts])
    return {(row.store_id, row.kind, row.subject_id): KnownLookup(row.state, row.about) for row in rows}


def load_people(conn: Connection, candidates: Sequence[EventCandidate]) -> PersonResolver:
    """The people whom planned candidates affect, resolved, with their facts and the profiles that they have.

    Of a person with a rollup only the facts are loaded that it names, and that the candidates touch. People are
    resolved in between: a person who gets a customer id now has another identifier on platforms, so the profiles sent
    so far do not count.
    """
    keys = {
        key: None  # a set that keeps the order
        for candidate in candidates
        for key in (
            *(
                key
                for affected in (*candidate.people, *([candidate.giver] if candidate.giver else ()))
                for key in build_person_keys(candidate.store.id, affected)
            ),
            *((candidate.store.id, "email", email) for email, _ in candidate.named_gifts if email),
        )
    }
    ids = _find_ids(conn, keys)
    found, rollups = load_drafts(conn, ids.values(), {candidate.store.id: candidate.store for candidate in candidates})
    people = PersonResolver({key: found[person_id] for key, person_id in ids.items()})
    resolve_people(candidates, people)
    load_needed_facts(conn, found, rollups, list_touched_facts(candidates) if rollups else {})
    resolved = (person for candidate in candidates for _, person in candidate.resolved_people)
    _load_profiles(conn, resolved, {person.id for person in people.newly_identified})
    return people


def remove_copies_of_buyers(conn: Connection, late: Sequence[EventCandidate]) -> None:
    """Take out recipients who got the event as its customer: the body may have had only a link to them."""
    event_people = core.EventPerson.__table__.c
    customers: set[tuple[int, int]] = set()
    for part in chunks({candidate.event_id for candidate in late}):
        query = select(event_people.event_id, event_people.person_id)
        found = conn.execute(query.where(event_people.event_id.in_(part), event_people.role == "customer"))
        customers.update((row[0], row[1]) for row in found)
    for candidate in late:
        resolved = candidate.resolved_people
        candidate.resolved_people = [pair for pair in resolved if (candidate.event_id, pair[1].id) not in customers]


def load_unsent_people(conn: Connection, store: RecordingStore, limit: int) -> PersonResolver:
    """Some of the store's people who have facts that no profile contains, and what leads to them."""
    person = core.Person.__table__.c
    query = select(person.customer_id, person.email).where(
        person.store_id == store.id, person.untold_since.is_not(None)
    )
    keys: list[PersonKey] = [
        (store.id, "email", str(email)) if customer_id is None else (store.id, "customer", str(customer_id))
        for customer_id, email in conn.execute(query.order_by(person.id).limit(limit))
    ]
    people = PersonResolver(find_people(conn, keys, {store.id: store}))
    _load_profiles(conn, people.people)
    return people


def find_existing_profiles(
    conn: Connection, person_ids: Collection[int], newly_identified: Collection[int] = ()
) -> set[tuple[int, int]]:
    """The (connection id, person id) pairs for which a profile has been sent or is pending.

    What was sent about the newly identified does not count. Profiles sent are found through the connections of the
    person's store: their index begins with the connection.
    """
    person, connection, delivery = core.Person.__table__, core.StoreConnection.__table__, core.Delivery.__table__
    profile_sent = core.ProfileSent.__table__
    is_same = (profile_sent.c.connection_id == connection.c.id) & (profile_sent.c.person_id == person.c.id)
    joined = person.join(connection, connection.c.store_id == person.c.store_id).join(profile_sent, is_same)
    sent = select(profile_sent.c.connection_id, profile_sent.c.person_id).select_from(joined)
    pairs: set[tuple[int, int]] = set()
    for part in chunks(set(person_ids).difference(newly_identified)):
        pairs.update((row[0], row[1]) for row in conn.execute(sent.where(person.c.id.in_(part))))
    unsent = set(person_ids).difference(person_id for _, person_id in pairs)
    for part in chunks(unsent):
        pending = select(delivery.c.connection_id, delivery.c.person_id).distinct()
        query = pending.where(
            delivery.c.person_id.in_(part), delivery.c.kind == "profile", delivery.c.done_at.is_(None)
        )
        pairs.update((row[0], row[1]) for row in conn.execute(query))
    return pairs


def find_people(
    conn: Connection, wanted: Iterable[PersonKey], stores: dict[int, RecordingStore]
) -> dict[PersonKey, PersonDraft]:
    """The people of these stores to whom these keys lead, with all their facts."""
    ids = _find_ids(conn, wanted)
    found = load_people_by_id(conn, ids.values(), stores)
    return {key: found[person_id] for key, person_id in ids.items()}


def load_people_by_id(
    conn: Connection, ids: Iterable[int], stores: Mapping[int, RecordingStore]
) -> dict[int, PersonDraft]:
    """These people of these stores, with all their facts, by id."""
    found, _ = load_drafts(conn, ids, stores)
    load_all_facts(conn, found)
    return found


def _find_ids(conn: Connection, wanted: Iterable[PersonKey]) -> dict[PersonKey, int]:
    keys = core.PersonKey.__table__
    by = keys.c.store_id, keys.c.kind, keys.c.value
    rows = select_by_keys(conn, (*by, keys.c.person_id), by, wanted)
    return {(row.store_id, row.kind, row.value): row.person_id for row in rows}


def _load_profiles(conn: Connection, people: Iterable[PersonDraft], newly_identified: Collection[int] = ()) -> None:
    """Note the connections at which each person has a profile; a new person has none."""
    known = {person.id: person for person in people if not person.is_new}
    for connection_id, person_id in find_existing_profiles(conn, known, newly_identified):
        known[person_id].has_profile_at.add(connection_id)
