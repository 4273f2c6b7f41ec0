"""Judges people anew after a decision, and writes what follows: messages stop, or what only waited is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select, union

from pipeline.core.consent import MARKETPLACE
from pipeline.core.messages import LIVE_PRIORITY
from pipeline.fan_out.consent import RELEASE
from pipeline.fan_out.facts import Fact
from pipeline.fan_out.plan import AffectedPerson
from pipeline.ledger.deliveries import stop_pending
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.schema import core
from pipeline.ledger.sql.tables import chunks
from pipeline.recording import load
from pipeline.recording.api_page import build_api_candidate
from pipeline.recording.consent import Rules, build_rules, judge_person
from pipeline.recording.deliveries import DeliveryDraft, plan_copy, plan_deliveries
from pipeline.recording.people import PersonDraft, PersonResolver
from pipeline.recording.plan import BatchPlan
from pipeline.recording.redact_waiting import redact_waiting
from pipeline.recording.release import load_released_copies, load_waiting_copies
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.waiting import find_freed_people
from pipeline.recording.write import write_batch

_NO_EVENT = AffectedPerson("customer", None, None, (), {}, ())


def rejudge_people(conn: Connection, store: RecordingStore, now: int, *, sends_waiting: bool) -> int:
    """Judge the people who are withheld, or about whom messages wait, by the store's rules; returns how many there are.

    Messages about people who are withheld now stop; messages about others lose what names them. With `sends_waiting`
    people of the storefront whose origin was unknown get their profile and the events that only waited for it. Nothing
    else is sent.
    """
    rules = build_rules([store], {})
    ids = _list_affected_ids(conn, store.id)
    for part in chunks(ids):
        found = list(load.load_people_by_id(conn, part, {store.id: store}).values())
        hidden = [person for person in found if _judge(person, rules)]
        _stop_addresses(conn, hidden, now)
        people = _resolve(found)
        freed = find_freed_people(people) if sends_waiting else []
        waiting = load_waiting_copies(conn, freed, rules) if freed else []
        deliveries = [*_plan_profiles(store, freed, now), *plan_deliveries(waiting)]
        write_batch(conn, BatchPlan(people, deliveries, sent_after_all=waiting), now)
    redact_waiting(conn, store, rules)
    return len(ids)


def recheck_messages(conn: Connection, store: RecordingStore, messages: Mapping[int, int], now: int) -> None:
    """Judge messages (delivery id -> person id) by the store's rules as of now.

    They were written under others, and are about to be sent again.
    """
    rules = build_rules([store], {})
    if not rules[store.id].may_withhold:
        return
    found = load.load_people_by_id(conn, set(messages.values()), {store.id: store}).values()
    _stop_addresses(conn, [person for person in found if _judge(person, rules)], now)
    redact_waiting(conn, store, rules, sorted(messages))


def release_person(conn: Connection, store: RecordingStore, person_id: int, decided_by: str, now: int) -> int:
    """Write the profile and all withheld events of one person, who is never withheld again; returns how many events.

    The events keep their ids: what was sent once is not sent twice.
    """
    person = load.load_people_by_id(conn, [person_id], {store.id: store})[person_id]
    person.note([Fact(RELEASE, "", {"decided_by": decided_by})], now)
    rules = build_rules([store], {})
    _judge(person, rules)
    copies = load_released_copies(conn, [person], rules)
    deliveries = [*_plan_profiles(store, [person], now), *plan_deliveries(copies)]
    write_batch(conn, BatchPlan(_resolve([person]), deliveries, sent_after_all=copies), now)
    return len(copies)


def _list_affected_ids(conn: Connection, store_id: int) -> list[int]:
    withheld = select(core.Person.id).where(core.Person.store_id == store_id, core.Person.withheld.is_not(None))
    in_lane = select(core.StoreConnection.id).where(core.StoreConnection.store_id == store_id)
    waiting = select(core.Delivery.person_id).where(core.Delivery.connection_id.in_(in_lane), OPEN)
    return sorted(conn.execute(union(withheld, waiting)).scalars())


def _stop_addresses(conn: Connection, hidden: Sequence[PersonDraft], now: int) -> None:
    """Stop messages that hold the address of people whose address is withheld."""
    stop_pending(conn, {person.id: MARKETPLACE for person in hidden}, now, only_with_address=True)


def _judge(person: PersonDraft, rules: Rules) -> bool:
    """Judge the person; returns whether their messages may hold no address."""
    return judge_person(person, person.collect_evidence(), rules).hides_address


def _plan_profiles(store: RecordingStore, people: Sequence[PersonDraft], now: int) -> list[DeliveryDraft]:
    candidate = build_api_candidate(store, "customers", {}, now)
    return [draft for person in people for draft in plan_copy(candidate, _NO_EVENT, person, LIVE_PRIORITY)]


def _resolve(people: Sequence[PersonDraft]) -> PersonResolver:
    return PersonResolver({(person.store.id, "person", str(person.id)): person for person in people})
