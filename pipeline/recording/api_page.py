"""Writes what a page of the Merchant API teaches, inside the caller's transaction: facts, gifts and profiles.

The same fan-out as for hooks, but nothing here is an event. What a page shows holds as of the moment it was asked
for: the API names no time at which an object last changed, and a hook that came later knows better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import select

from pipeline.core.hooks import ValidHook
from pipeline.events.catalogue import API_OBJECTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.facts import Fact
from pipeline.fan_out.plan import AffectedPerson, Plan, is_test
from pipeline.ledger.deliveries.status import BACKFILL_PRIORITY
from pipeline.ledger.schema import core
from pipeline.ledger.sql.tables import get_table
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.deliveries import DeliveryBuilder, DeliveryRow, write_deliveries
from pipeline.recording.event_people import resolve_people
from pipeline.recording.events import write_event_people
from pipeline.recording.gifts import GiftIndex
from pipeline.recording.late_gifts import find_late_gift_events
from pipeline.recording.lookups import RecordingStore, find_existing_profiles
from pipeline.recording.people import PersonKey, PersonResolver

BACKFILL_SOURCE = "backfill"


@dataclass(frozen=True, slots=True)
class ApiPage:
    """Objects of one collection, as loaded. `reading` names the reading of the collection they belong to.

    `tells`: people are told of at once; else somebody tells of them later, with whatever is known by then.
    """

    resource: str
    objects: Sequence[dict[str, Any]]
    asked_at: int  # µs
    reading: int | str
    sends_profiles: bool


def record_api_page(conn: Database, store: RecordingStore, page: ApiPage, now: int) -> int:
    """Write a page; returns how many of its objects this reading had not shown before."""
    stories = [_build_candidate(store, page.resource, one, page.asked_at) for one in page.objects]
    memory = GiftIndex(conn, stories)
    for story in stories:
        if not story.silent:
            story.plan = _mark_plan(story, story.build_plan(memory.of(store.id)), page.reading)
    late = find_late_gift_events(conn, memory, stories)
    book = resolve_people(conn, [*stories, *late], now)
    fresh = sum(_is_new(story, page.reading) for story in stories)
    known = find_existing_profiles(
        conn, {someone.id for story in (*stories, *late) for _, someone in story.resolved_people}
    )
    rows = (
        DeliveryBuilder(known, now, BACKFILL_PRIORITY).rows(stories)
        if page.sends_profiles
        else _merge_facts_only(stories)
    )
    rows += DeliveryBuilder(known, now).rows(late)
    write_event_people(conn, late)
    memory.write()
    book.write_changes()
    write_deliveries(conn, rows)
    return fresh


def enqueue_unsent_profiles(conn: Database, store: RecordingStore, limit: int, now: int) -> int:
    """Make profiles of people of whom more is known than any profile has told; returns how many there were."""
    people = get_table(core.Person)
    columns = people.c.customer_id, people.c.email
    query = select(*columns).where(people.c.store_id == store.id, people.c.untold_since.is_not(None))
    found = conn.execute(query.order_by(people.c.id).limit(limit)).all()
    book = PersonResolver(conn, [_person_key(store, row.customer_id, row.email) for row in found], [store], now)
    everybody = book.people
    mailroom = DeliveryBuilder(find_existing_profiles(conn, {one.id for one in everybody}), now, BACKFILL_PRIORITY)
    story, nothing = _build_candidate(store, "customers", {}, now), AffectedPerson("customer", None, None, (), {}, ())
    rows = [row for someone in everybody for row in mailroom.copy(story, nothing, someone)]
    book.write_changes()
    write_deliveries(conn, rows)
    return len(everybody)


def _merge_facts_only(candidates: Sequence[EventCandidate]) -> list[DeliveryRow]:
    for story in candidates:
        for concerned, someone in story.resolved_people:
            someone.note(concerned.facts, story.happening.received_at)
    return []


def _build_candidate(store: RecordingStore, resource: str, data: dict[str, Any], asked_at: int) -> EventCandidate:
    row = API_OBJECTS[resource]
    hook = ValidHook(
        entry_id="",
        receipt="",
        store=store.name,
        version=store.token_version,
        event=row.name,
        received_at=asked_at,
        source=BACKFILL_SOURCE,
        form="",
        fingerprint="",
        decoded_at=asked_at,
        validated_at=asked_at,
        data=data,
        unknown=[],
    )
    silent = not store.forward_tests and is_test(row, data)
    return EventCandidate(hook, store, row, identify_event(row, data, "", asked_at), silent=silent)


def _mark_plan(candidate: EventCandidate, plan: Plan, reading: int | str) -> Plan:
    """The plan, with a fact that says in which reading the object was shown: pages may repeat."""
    kind, subject, name = _mark_location(candidate)
    people = tuple(
        replace(
            one,
            facts=tuple(
                _with_field(fact, name, reading) if _is_fact_about(fact, kind, subject) else fact for fact in one.facts
            ),
        )
        if one.role == "customer"
        else one
        for one in plan.people
    )
    return replace(plan, people=people)


def _is_new(candidate: EventCandidate, reading: int | str) -> bool:
    """What concerns nobody, or is only a test, leaves no mark: it can only be taken for new."""
    kind, subject, name = _mark_location(candidate)
    customers = (someone for concerned, someone in candidate.resolved_people if concerned.role == "customer")
    return all(one.known.get((kind, subject), {}).get(name, (0, None))[1] != reading for one in customers)


def _mark_location(candidate: EventCandidate) -> tuple[str, str, str]:
    """The fact that carries the mark, and the mark's name: two customers may be one person."""
    kind, number = str(candidate.row.subject), str(candidate.data.get("id"))
    return kind, "" if kind == "customer" else number, f"listed:{number}"


def _is_fact_about(fact: Fact, kind: str, subject: str) -> bool:
    return (fact.kind, fact.subject) == (kind, subject)


def _with_field(fact: Fact, name: str, value: int | str) -> Fact:
    return replace(fact, fields={**fact.fields, name: value})


def _person_key(store: RecordingStore, customer_id: int | None, email: str | None) -> PersonKey:
    return (store.id, "customer", str(customer_id)) if customer_id is not None else (store.id, "email", str(email))
