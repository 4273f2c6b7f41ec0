"""Sends a test event: one event of our own, about the person who asks for it, through the ledger and the lanes.

It has a name that no shop sends and says that it is a test, so that it starts no campaign by mistake. It goes to no one
but the address that the caller has proven to be the user's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.hooks import TEST, Role, build_valid_hook
from pipeline.core.messages import LIVE_PRIORITY
from pipeline.events.catalogue import EventRow
from pipeline.events.fields import US_PER_SECOND
from pipeline.events.identity import EventIdentity
from pipeline.fan_out.plan import AffectedPerson, Plan
from pipeline.ledger.audit import Actor, record_store_action
from pipeline.ledger.regulations import find_suppressed, load_hasher
from pipeline.recording import load
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.counts import count_batch
from pipeline.recording.deliveries import DeliveryDraft
from pipeline.recording.events import EventDraft, EventPersonDraft
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.people import PersonDraft, PersonResolver
from pipeline.recording.plan import BatchPlan
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.write import write_batch
from schemas.email import is_email, normalize_email

TEST_EVENT = "cratewire_test"
_ROW = EventRow(TEST_EVENT, "any", None, "A test event of Cratewire's own.")
_ROLE: Role = "customer"


@dataclass(frozen=True, slots=True)
class TestEvent:
    """A test event to send. `nonce`: occurs once; `secret_keys` open the keys of erased people's hashes.

    `connection_id`: the only connection that it goes over; None: it goes to every platform of the store.
    """

    __test__ = False  # pytest would take the class for a test

    store: str
    email: str = field(repr=False)
    nonce: str
    now: int  # µs
    actor: Actor
    secret_keys: Sequence[str] = field(repr=False)
    connection_id: int | None = None


def send_test_event(conn: Connection, test: TestEvent) -> int:
    """Record a test event with its messages, which leave at once; returns the event's id.

    Raise Misconfigured if the store has no platform, or if nothing may be sent about the address.
    """
    store = load_stores_by_name(conn, [test.store]).get(test.store)
    if store is None:
        raise Misconfigured(f"{test.store} is being removed")
    store = _choose_connections(store, test.connection_id)
    if not store.connections:
        raise Misconfigured(f"{test.store} is connected to no platform")
    affected = AffectedPerson(_ROLE, None, _require_address(conn, store, test), (), {}, ())
    people = PersonResolver(load.find_people(conn, [(store.id, "email", str(affected.email))], {store.id: store}))
    person = people.find(store, affected)
    if person is None or person.withheld is not None:
        raise Misconfigured("nothing may be sent about this address: the person is withheld")
    candidate = _build_candidate(store, affected, person, test)
    event = EventDraft(candidate, _build_event(candidate, test), b"{}")
    has_profile_at = {connection_id for connection_id, _ in load.find_existing_profiles(conn, [person.id])}
    plan = BatchPlan(
        people,
        list(_plan_messages(candidate, person, has_profile_at)),
        event_people=[EventPersonDraft(candidate, person, _ROLE, None)],
        events=[event],
        counts=count_batch([event], (), (), (), {}),
    )
    write_batch(conn, plan, test.now)
    record_store_action(conn, store.id, test.actor, "test_event.sent", test.now, {"event": candidate.event_id})
    return candidate.event_id


def _choose_connections(store: RecordingStore, connection_id: int | None) -> RecordingStore:
    if connection_id is None:
        return store
    return replace(store, connections=tuple(one for one in store.connections if one[0] == connection_id))


def _require_address(conn: Connection, store: RecordingStore, test: TestEvent) -> str:
    """The address as the ledger writes it. Raise Misconfigured for one that was erased and is suppressed."""
    email = normalize_email(test.email)
    if email is None or not is_email(email):
        raise Misconfigured("this is no mail address")
    hasher = load_hasher(conn, test.secret_keys)
    if hasher.keys and find_suppressed(conn, hasher, {store.id: store.name}, [(store.id, "email", email)]):
        raise Misconfigured("nothing may be sent about this address: the person was erased and is suppressed")
    return email


def _build_candidate(
    store: RecordingStore, affected: AffectedPerson, person: PersonDraft, test: TestEvent
) -> EventCandidate:
    envelope = store.build_envelope(
        TEST_EVENT, received_at=test.now, source=TEST, receipt=test.nonce, entry_id=test.nonce
    )
    hook = build_valid_hook(
        envelope, {"is_test": True}, form="", fingerprint="", decoded_at=test.now, validated_at=test.now
    )
    identity = EventIdentity(f"{TEST_EVENT}:{test.nonce}", is_windowed=False, received_at=test.now, claimed_at=test.now)
    plan = Plan(None, is_test=True, people=(affected,), subjects=(), notes=())
    return EventCandidate(hook, store, _ROW, identity, plan, [(affected, person)])


def _build_event(candidate: EventCandidate, test: TestEvent) -> dict[str, Any]:
    times = ("occurred_at", "received_at", "decoded_at", "validated_at", "recorded_at")
    return {
        "store_id": candidate.store.id,
        "name": TEST_EVENT,
        "happening": candidate.identity.key,
        "ulid": candidate.ulid,
        "receipt": test.nonce,
        "source": TEST,
        "subject": None,
        "subject_id": None,
        "form": "",
        "is_test": True,
        "outcome": "forwarded",
        "notes": [],
        "data": candidate.data,
        "unknown": [],
        "duplicates": 0,
        **dict.fromkeys(times, test.now),
    }


def _plan_messages(candidate: EventCandidate, person: PersonDraft, has_profile_at: set[int]) -> Iterator[DeliveryDraft]:
    """For each connection a profile that is marked as a test, unless there is one, and the event."""
    at = candidate.identity.occurred_at // US_PER_SECOND
    about = {"customer_id": person.customer_id, "email": person.email, "at": at}
    mark = {"is_test": True, "store": candidate.store.name}
    for connection_id, lanes in candidate.store.connections:
        common = (candidate, person, connection_id, lanes, LIVE_PRIORITY)
        if connection_id not in has_profile_at:
            yield DeliveryDraft(*common, kind="profile", message={**about, "data": person.attributes or mark})
        yield DeliveryDraft(
            *common, kind="event", message={**about, "data": mark}, name=TEST_EVENT, message_id=candidate.ulid
        )
