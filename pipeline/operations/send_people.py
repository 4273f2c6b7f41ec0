"""Sends the people whom the ledger knows over a connection that came later: their profiles, quietly, and no event.

A slice is one transaction, so a worker that is killed has written it whole or not at all, and never twice. Profiles
wait behind live messages; if a hook is about a person whose profile waits, that profile leaves first.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from pipeline.context import Context
from pipeline.core.messages import BACKFILL_PRIORITY
from pipeline.fan_out.consent import Verdict
from pipeline.fan_out.plan import AffectedPerson
from pipeline.ledger.connection_people import RUNNING, PeopleRow, find_people, note_progress
from pipeline.ledger.deliveries.status import IS_BACKFILL, OPEN
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Delivery, Person
from pipeline.recording import load
from pipeline.recording.api_page import build_api_candidate
from pipeline.recording.consent import Rules, build_rules, judge_person
from pipeline.recording.deliveries import DeliveryDraft, plan_copy
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.people import PersonDraft, PersonResolver
from pipeline.recording.plan import BatchPlan
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.write import write_batch

SLICE = 50  # people in one transaction: hooks of the same store wait for it
MAX_AHEAD = 1_000  # profiles that wait in the connection's lanes
MAX_TURN_US = 1_000_000  # then the worker takes up other tasks
_OF_NO_EVENT = AffectedPerson("customer", None, None, (), {}, ())


def send_people(context: Context, connection_id: int) -> int:
    """Write profiles until enough wait, all are written, or the turn is over; returns how many slices there were."""
    until, slices = context.now() + MAX_TURN_US, 0
    while context.now() < until:
        with writing(context.engine) as conn:
            row = find_people(conn, connection_id, locked=True)
            if row is None or row.state != RUNNING or not _has_room(conn, connection_id):
                return slices
            write_slice(conn, row, context.now())
        slices += 1
    return slices


def write_slice(conn: Connection, row: PeopleRow, now: int) -> None:
    """Write the profiles of the next people. The caller has locked the row."""
    stores = load_stores_by_name(conn, [row.store])  # locked, as recording does
    store = next(iter(stores.values()), None)
    ids = _list_people(conn, store.id, row.cursor) if store else []
    waiting = _find_waiting(conn, row.connection_id, ids) if ids else set()
    deliveries: list[DeliveryDraft] = []
    if store and ids:
        only = tuple(one for one in store.connections if one[0] == row.connection_id)
        store = replace(store, connections=only)
        people = load.load_people_by_id(conn, [one for one in ids if one not in waiting], {store.id: store})
        deliveries = _plan(store, list(people.values()), now)
        written = {draft.person.id: draft.person for draft in deliveries}
        resolver = PersonResolver({(store.id, "person", str(person)): draft for person, draft in written.items()})
        write_batch(conn, BatchPlan(resolver, deliveries), now)
    note_progress(conn, row, ids, len(deliveries), now)


def _plan(store: RecordingStore, people: list[PersonDraft], now: int) -> list[DeliveryDraft]:
    """Plan a profile for everyone who has none there and may be sent: no test person, none who is withheld."""
    rules = build_rules([store], {})
    candidate = build_api_candidate(store, "customers", {}, now)
    return [
        draft
        for person in people
        if store.forward_tests or not person.attributes.get("is_test")
        for draft in plan_copy(candidate, _OF_NO_EVENT, person, BACKFILL_PRIORITY, _judge(person, rules))
    ]


def _judge(person: PersonDraft, rules: Rules) -> Verdict:
    return judge_person(person, person.collect_evidence(), rules)


def _list_people(conn: Connection, store_id: int, after: int) -> list[int]:
    query = select(Person.id).where(Person.store_id == store_id, Person.id > after)
    return list(conn.execute(query.order_by(Person.id).limit(SLICE)).scalars())


def _find_waiting(conn: Connection, connection_id: int, people: list[int]) -> set[int]:
    """Those of whom a profile waits already: for a hook that came meanwhile, or from a start before."""
    is_profile = Delivery.connection_id == connection_id, Delivery.kind == "profile", Delivery.person_id.in_(people)
    return set(conn.execute(select(Delivery.person_id).where(*is_profile, OPEN)).scalars())


def _has_room(conn: Connection, connection_id: int) -> bool:
    waiting = select(Delivery.id).where(Delivery.connection_id == connection_id, OPEN, IS_BACKFILL).limit(MAX_AHEAD)
    return conn.execute(select(func.count()).select_from(waiting.subquery())).scalar_one() < MAX_AHEAD
