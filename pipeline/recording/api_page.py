"""Records a page of the Merchant API: the facts, gifts and profiles that its objects show.

The fan-out is the same as for hooks, but an object of the API is no event. What a page shows holds as of the moment it
was requested: the API names no time at which an object last changed, and a hook received later is newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from pipeline.core.hooks import build_valid_hook
from pipeline.core.messages import BACKFILL_PRIORITY
from pipeline.events.catalogue import API_OBJECTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.facts import Fact
from pipeline.fan_out.plan import AffectedPerson, Plan, is_test
from pipeline.recording import load
from pipeline.recording.affected import load_affected
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.consent import build_rules, judge_person
from pipeline.recording.deliveries import plan_copy, plan_deliveries
from pipeline.recording.events import plan_event_people
from pipeline.recording.gifts import GiftIndex, plan_candidates
from pipeline.recording.lookups import find_lookups, plan_found_notes, plan_lookups
from pipeline.recording.plan import BatchPlan
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.sources import note_sources
from pipeline.recording.suppression import remove_suppressed_people
from pipeline.recording.write import write_batch

BACKFILL_SOURCE = "backfill"


@dataclass(frozen=True, slots=True)
class ApiPage:
    """Objects of one collection, as loaded. `reading` identifies the reading of the collection they belong to.

    With `sends_profiles` profiles are written at once; else `enqueue_unsent_profiles` writes them later, with all
    facts known by then.
    """

    resource: str
    objects: Sequence[dict[str, Any]]
    asked_at: int  # µs
    reading: int | str
    sends_profiles: bool
    priority: int = BACKFILL_PRIORITY  # of those profiles
    plans_lookups: bool = False  # what its objects lack is asked for after the backfill


def record_api_page(
    conn: Connection, store: RecordingStore, page: ApiPage, now: int, secret_keys: Sequence[str] = ()
) -> int:
    """Record a page inside the caller's transaction; returns how many of its objects are new in this reading.

    `secret_keys` open the keys by which suppressed people are recognised; an object about no one else is not recorded,
    and counts as new.
    """
    shown = [build_api_candidate(store, page.resource, data, page.asked_at) for data in page.objects]
    recognition = remove_suppressed_people(conn, secret_keys, [store], shown)
    candidates = [candidate for candidate in shown if not candidate.is_suppressed]
    gifts = GiftIndex(load.load_gifts(conn, candidates), candidates)
    plan_candidates(candidates, gifts, lambda _hook: nullcontext())
    for candidate in candidates:
        if candidate.plan is not None:
            candidate.plan = _mark_plan(candidate, candidate.plan, page.reading)
    affected = load_affected(conn, [store], candidates, gifts)
    new_objects = len(shown) - len(candidates) + sum(_is_new(candidate, page.reading) for candidate in candidates)
    if page.sends_profiles:
        deliveries = plan_deliveries(candidates, page.priority)
    else:
        _merge_facts_only(candidates)
        deliveries = []
    deliveries += plan_deliveries([*affected.waiting, *affected.late])
    plan = BatchPlan(
        affected.people,
        deliveries,
        gifts=gifts.build_rows(),
        event_people=plan_event_people(affected.late),
        lookups=_plan_lookups(conn, candidates, now) if page.plans_lookups else (),
        changed_notes=plan_found_notes(affected.late),
        sent_after_all=affected.waiting,
        recognised=recognition.counts,
        learned_hashes=recognition.learned,
    )
    write_batch(conn, plan, now)
    note_sources(conn, candidates, now)
    return new_objects


def enqueue_unsent_profiles(conn: Connection, store: RecordingStore, limit: int, now: int) -> int:
    """Write profiles of people who have facts that no profile contains; returns how many people there were."""
    people = load.load_unsent_people(conn, store, limit)
    candidate = build_api_candidate(store, "customers", {}, now)
    nothing = AffectedPerson("customer", None, None, (), {}, ())
    found = people.people
    rules = build_rules([store], {})
    deliveries = [
        draft
        for person in found
        for draft in plan_copy(
            candidate,
            nothing,
            person,
            BACKFILL_PRIORITY,
            judge_person(person, person.collect_evidence(), rules),
        )
    ]
    write_batch(conn, BatchPlan(people, deliveries), now)
    return len(found)


def _plan_lookups(conn: Connection, candidates: Sequence[EventCandidate], now: int) -> list[dict[str, Any]]:
    """What these objects lack. A gift is searched for its recipient only when something is to be sent to them."""
    wanted = [draft for draft in find_lookups(candidates) if draft.candidate is None]
    return plan_lookups(wanted, load.load_lookups(conn, wanted), now, is_live=False)


def _merge_facts_only(candidates: Sequence[EventCandidate]) -> None:
    for candidate in candidates:
        for affected, person in candidate.resolved_people:
            person.note(affected.facts, candidate.identity.received_at)


def build_api_candidate(store: RecordingStore, resource: str, data: dict[str, Any], asked_at: int) -> EventCandidate:
    """The candidate of an object of the API, not planned yet. It becomes no event."""
    row = API_OBJECTS[resource]
    envelope = store.build_envelope(row.name, received_at=asked_at, source=BACKFILL_SOURCE, receipt="", entry_id="")
    hook = build_valid_hook(envelope, data, form="", fingerprint="", decoded_at=asked_at, validated_at=asked_at)
    is_ignored_test = not store.forward_tests and is_test(row, data)
    return EventCandidate(hook, store, row, identify_event(row, data, "", asked_at), is_ignored_test=is_ignored_test)


def _mark_plan(candidate: EventCandidate, plan: Plan, reading: int | str) -> Plan:
    """The plan, with a field in the customer's fact that says in which reading the object was shown: pages may
    repeat objects.
    """
    kind, subject, name = _get_mark_location(candidate)
    people = tuple(
        replace(
            person,
            facts=tuple(
                _with_field(fact, name, reading) if _is_fact_about(fact, kind, subject) else fact
                for fact in person.facts
            ),
        )
        if person.role == "customer"
        else person
        for person in plan.people
    )
    return replace(plan, people=people)


def _is_new(candidate: EventCandidate, reading: int | str) -> bool:
    """Whether this reading has not shown the object before. One without a customer, or a test, always counts as new:
    there is no fact to mark.
    """
    kind, subject, name = _get_mark_location(candidate)
    customers = (person for affected, person in candidate.resolved_people if affected.role == "customer")
    return all(person.known.get((kind, subject), {}).get(name, (0, None))[1] != reading for person in customers)


def _get_mark_location(candidate: EventCandidate) -> tuple[str, str, str]:
    """(kind, subject, field) of the mark. The field names the object: two customers may be one person."""
    kind, number = str(candidate.row.subject), str(candidate.data.get("id"))
    return kind, "" if kind == "customer" else number, f"listed:{number}"


def _is_fact_about(fact: Fact, kind: str, subject: str) -> bool:
    return (fact.kind, fact.subject) == (kind, subject)


def _with_field(fact: Fact, name: str, value: int | str) -> Fact:
    return replace(fact, fields={**fact.fields, name: value})
