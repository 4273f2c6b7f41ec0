"""Writes what was planned for a batch, inside the caller's transaction, always in the same order.

Ids of new people and events are known only once these are inserted, so the rows that name them are completed as they
are written. What is read is the dictionary to compress with, at first, and in `promote_to_live`, which locks lanes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, update

from pipeline.core.messages import LIVE_PRIORITY
from pipeline.fan_out.rollup import VERSION
from pipeline.infra.compression import compress
from pipeline.ledger.counts.changes import add_changes, add_repeats
from pipeline.ledger.counts.keys import HOUR_US, CountKey
from pipeline.ledger.counts.messages import FORWARDED
from pipeline.ledger.deliveries import promote_to_live, stop_pending
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.dictionaries import find_dictionary
from pipeline.ledger.observed_events import mark_late
from pipeline.ledger.regulations import add_learned_hashes, count_recognised
from pipeline.ledger.schema import core
from pipeline.ledger.schema.history import AttributeChange
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.schema.monitoring import Canary, Heartbeat
from pipeline.ledger.schema.rollups import FactRollup
from pipeline.ledger.search_terms import NamedPerson, add_person_terms, add_tracking_numbers
from pipeline.ledger.sql.bulk import insert_returning_ids, insert_rows, update_rows, upsert
from pipeline.ledger.sql.packed_json import pack_column
from pipeline.ledger.sql.tables import chunks, insert_into
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.dead_letters import DeadLetterPlan
from pipeline.recording.deliveries import DeliveryDraft
from pipeline.recording.events import EventDraft, EventPersonDraft
from pipeline.recording.people import PersonDraft, PersonResolver
from pipeline.recording.plan import BatchPlan

CHAIN_HEARTBEAT = "chain"
_ASKED_AGAIN = ("about", "is_live", "state", "attempts", "next_attempt_at")  # of the variants of another instance
_PERSON_TABLE = core.Person.__table__


def write_batch(conn: Connection, plan: BatchPlan, now: int) -> None:
    """Write everything. New people and fresh events have their ids afterwards."""
    dictionary = find_dictionary(conn, now) if plan.events or plan.deliveries else None
    counts = Counter(plan.counts)
    counts.update(_mark_forwarded(conn, plan))
    count_recognised(conn, plan.recognised, now)
    add_learned_hashes(conn, plan.learned_hashes)
    _write_probes(conn, plan.heartbeat_sent_at, plan.canaries, now)
    _write_dead_letters(conn, plan.dead_letters)
    _add_repeats(conn, plan.repeats)
    mark_late(conn, plan.repeated_keys)
    _insert_people(conn, plan.people, now)
    _insert_events(conn, plan.events, dictionary)
    _write_repeat_hours(conn, plan)
    add_changes(conn, counts)
    _write_event_people(conn, plan.event_people)
    _mark_sent_after_all(conn, plan.sent_after_all)
    upsert(conn, core.Gift.__table__, plan.gifts, update_columns=("email", "data", "as_of"))
    _update_people(conn, plan.people)
    _add_search_terms(conn, plan.people, plan.events)
    _write_attribute_changes(conn, plan.people)
    _stop_withheld(conn, plan.people, now)
    _write_deliveries(conn, plan.deliveries, now, dictionary)
    _mark_replayed(conn, plan.replayed, now)
    upsert(conn, Lookup.__table__, plan.lookups, update_columns=_ASKED_AGAIN)
    write_notes(conn, plan.changed_notes)


def write_notes(conn: Connection, notes: Mapping[int, list[dict[str, Any]]]) -> None:
    """Replace the notes of these events."""
    event = core.Event.__table__
    for event_id in sorted(notes):
        conn.execute(update(event).where(event.c.id == event_id).values(notes=notes[event_id]))


def _write_probes(conn: Connection, heartbeat_sent_at: int | None, canaries: Collection[str], now: int) -> None:
    """Note that heartbeats and canaries have arrived; of a canary that comes again the first arrival counts."""
    if heartbeat_sent_at is not None:
        times = {"sent_at": heartbeat_sent_at, "arrived_at": now}
        first = insert_into(conn, Heartbeat).values(name=CHAIN_HEARTBEAT, **times)
        conn.execute(first.on_conflict_do_update(index_elements=["name"], set_=times))
    if canaries:
        first_arrival = update(Canary).where(Canary.nonce.in_(canaries), Canary.arrived_at.is_(None))
        conn.execute(first_arrival.values(arrived_at=now))


def _write_dead_letters(conn: Connection, plan: DeadLetterPlan) -> None:
    """Insert dead hooks; a receipt that died before is counted up."""
    dead = core.DeadHook.__table__
    for letter_id, detail in plan.details.items():
        conn.execute(update(dead).where(dead.c.id == letter_id).values(detail=detail))
    upsert(
        conn,
        dead,
        plan.rows,
        update_columns=("stage", "reason", "detail", "died_at", "replayed_at"),
        conflict_columns=("receipt",),
        increment_column="times",
    )


def _add_repeats(conn: Connection, repeats: Mapping[int, int]) -> None:
    """Add the repeats to their events, where the feed shows them."""
    event = core.Event.__table__
    if repeats:
        statement = update(event).where(event.c.id == bindparam("b_id"))
        rows = [{"b_id": event_id, "more": more} for event_id, more in sorted(repeats.items())]
        conn.execute(statement.values(duplicates=event.c.duplicates + bindparam("more")), rows)


def _write_repeat_hours(conn: Connection, plan: BatchPlan) -> None:
    ids = {event.row["receipt"]: event.candidate.event_id for event in plan.events} if plan.repeat_hooks else {}
    hours = Counter(
        (one.store_id, one.event.event_id or ids[one.event.receipt], one.received_at // HOUR_US)
        for one in plan.repeat_hooks
    )
    add_repeats(conn, hours)


def _insert_people(conn: Connection, people: PersonResolver, now: int) -> None:
    """Insert new people and everything that leads to them; forget profiles that were sent under another identifier."""
    rows = [
        {"store_id": person.store.id, "created_at": now, **_get_person_values(person)} for person in people.new_people
    ]
    ids = insert_returning_ids(conn, _PERSON_TABLE, rows)
    for person, person_id in zip(people.new_people, ids, strict=True):
        person.id = person_id
    keys = [
        {"store_id": store_id, "kind": kind, "value": value, "person_id": person.id}
        for (store_id, kind, value), person in people.new_keys.items()
    ]
    upsert(conn, core.PersonKey.__table__, keys, update_columns=())
    identified = [person.id for person in people.newly_identified if not person.is_new]
    if identified:
        profile_sent = core.ProfileSent.__table__
        conn.execute(delete(profile_sent).where(profile_sent.c.person_id.in_(identified)))


def _insert_events(conn: Connection, events: Sequence[EventDraft], dictionary: int | None) -> None:
    """Insert events with their raw bytes and subjects, and give each candidate its event id."""
    rows = [event.row | pack_column("data", event.row["data"], dictionary) for event in events]
    ids = insert_returning_ids(conn, core.Event.__table__, rows)
    for event, event_id in zip(events, ids, strict=True):
        event.candidate.event_id = event_id
    bodies = [
        {"event_id": event.candidate.event_id, "raw": compress(event.body, dictionary)}
        for event in events
        if event.body is not None
    ]
    insert_rows(conn, core.Body.__table__, bodies)
    subjects = [
        {"event_id": candidate.event_id, "kind": kind, "subject_id": number, "store_id": candidate.store.id}
        for candidate in (event.candidate for event in events)
        for kind, number in (candidate.plan.subjects if candidate.plan else ())
    ]
    insert_rows(conn, core.EventSubject.__table__, subjects)


def _write_event_people(conn: Connection, event_people: Iterable[EventPersonDraft]) -> None:
    rows = [
        {
            "event_id": draft.candidate.event_id,
            "person_id": draft.person.id,
            "role": draft.role,
            "reason": draft.reason,
        }
        for draft in event_people
    ]
    upsert(conn, core.EventPerson.__table__, rows, update_columns=())


def _mark_sent_after_all(conn: Connection, candidates: Sequence[EventCandidate]) -> None:
    """Note that copies which were withheld are sent now, so that none is sent twice."""
    event_people = core.EventPerson.__table__
    for candidate in candidates:
        for affected, person in candidate.resolved_people:
            is_theirs = event_people.c.event_id == candidate.event_id, event_people.c.person_id == person.id
            in_role = update(event_people).where(*is_theirs, event_people.c.role == affected.role)
            conn.execute(in_role.values(reason=None))


def _mark_forwarded(conn: Connection, plan: BatchPlan) -> Counter[CountKey]:
    """Note that earlier events are forwarded after all, since a message of them is written now.

    Returns what that changes in the counts.
    """
    waited = [candidate for candidate in plan.sent_after_all if candidate.earlier_outcome == WITHHELD]
    copied = (draft.candidate for draft in plan.deliveries if draft.kind == "event" and draft.candidate.event_id)
    earlier = {candidate.event_id: candidate for candidate in (*waited, *copied)}
    event = core.Event.__table__
    changes: Counter[CountKey] = Counter()
    for part in chunks(event_id for event_id, one in earlier.items() if one.earlier_outcome != FORWARDED):
        not_yet = update(event).where(event.c.id.in_(part), event.c.outcome != FORWARDED)
        for event_id in conn.execute(not_yet.values(outcome=FORWARDED).returning(event.c.id)).scalars():
            one = earlier[event_id]
            hour = one.hook["received_at"] // HOUR_US
            before = CountKey(one.store.id, hour, one.row.name, one.earlier_outcome or WITHHELD)
            changes[before] -= 1
            changes[before._replace(outcome=FORWARDED)] += 1
    return changes


def _stop_withheld(conn: Connection, people: PersonResolver, now: int) -> None:
    """Stop what waits about people who are withheld only now: they were known from nothing before."""
    newly = {person.id: person.withheld for person in people.people if person.withheld and person.was_withheld is None}
    stop_pending(conn, newly, now)


def _update_people(conn: Connection, resolver: PersonResolver) -> None:
    """Write the facts that were merged, the rollups of people who have many, and the people who have changed."""
    people = resolver.people
    facts = [
        {"person_id": person.id, "kind": kind, "subject": subject, "data": person.known[kind, subject]}
        for person in people
        for kind, subject in sorted(person.changed_facts)
    ]
    upsert(conn, core.Fact.__table__, facts, update_columns=("data",))
    rollups = [
        {"person_id": person.id, "version": VERSION, "data": rollup.dump()}
        for person in people
        if (rollup := person.roll_up()) is not None
    ]
    upsert(conn, FactRollup.__table__, rollups, update_columns=("version", "data"))  # their facts' change deleted them
    rows = [
        {"id": person.id, **_get_person_values(person)}
        for person in people
        if not person.is_new and (person.is_changed or person.changed_facts)
    ]
    update_rows(conn, _PERSON_TABLE, rows)


def _write_attribute_changes(conn: Connection, resolver: PersonResolver) -> None:
    """Write what was replaced in people's attributes, with the events that did it."""
    rows = [
        {
            "person_id": person.id,
            "event_id": change.origin.event_id or None,
            "at": change.at,
            "data": change.before,
        }
        for person in resolver.people
        for change in person.attribute_changes
    ]
    insert_rows(conn, AttributeChange.__table__, rows)


def _add_search_terms(conn: Connection, resolver: PersonResolver, events: Sequence[EventDraft]) -> None:
    """Let the search find what is new: names, addresses and tracking numbers."""
    emails: dict[int, list[str]] = {}
    for (_, kind, value), person in resolver.new_keys.items():
        if kind == "email":
            emails.setdefault(person.id, []).append(value)
    named = (person for person in resolver.people if person.new_names or person.id in emails)
    add_person_terms(
        conn, (NamedPerson(person.store.id, person.id, person.new_names, emails.get(person.id, ())) for person in named)
    )
    candidates = (event.candidate for event in events)
    shipments = (candidate for candidate in candidates if candidate.row.subject == "shipment")
    add_tracking_numbers(conn, ((item.store.id, item.event_id, item.data) for item in shipments))


def _get_person_values(person: PersonDraft) -> dict[str, Any]:
    return {
        "customer_id": person.customer_id,
        "email": person.email,
        "attributes": person.attributes,
        "known_at": person.known_at,
        "untold_since": person.unsent_since,
        "withheld": person.withheld,
    }


def _write_deliveries(conn: Connection, deliveries: Sequence[DeliveryDraft], now: int, dictionary: int | None) -> None:
    """Put messages into their lanes, and promote what a backfill has written about the people of live messages."""
    rows = [draft.build_row(now) | pack_column("message", draft.message, dictionary) for draft in deliveries]
    upsert(conn, core.Delivery.__table__, rows, update_columns=(), conflict_columns=("connection_id", "message_id"))
    for part in chunks({draft.person.id for draft in deliveries if draft.priority == LIVE_PRIORITY}):
        promote_to_live(conn, part)


def _mark_replayed(conn: Connection, receipts: Iterable[str], now: int) -> None:
    """Mark the dead hooks of these receipts as replayed: they are events now."""
    dead = core.DeadHook.__table__
    for part in chunks(receipts):
        conn.execute(update(dead).where(dead.c.receipt.in_(part)).values(replayed_at=now))
