"""Finds in the ledger what was withheld about people, and can be sent now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select

from pipeline.core.consent import ORIGIN_UNKNOWN, WITHHELD_REASONS, WithheldReason
from pipeline.ledger.schema import core
from pipeline.ledger.sql.tables import chunks
from pipeline.recording import load
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.consent import Rules
from pipeline.recording.gifts import GiftIndex, rebuild_candidate
from pipeline.recording.people import PersonDraft, PersonKey, PersonResolver, build_person_keys
from pipeline.recording.snapshot import EarlierEvent
from pipeline.recording.waiting import WithheldCopy, note_omissions, plan_withheld_copies


def load_waiting_copies(conn: Connection, people: Sequence[PersonDraft], rules: Rules) -> list[EventCandidate]:
    """The events of these people that only waited for their origin, planned: the people are of the storefront."""
    return _load_copies(conn, people, rules, [ORIGIN_UNKNOWN], only_storefront=True)


def load_released_copies(conn: Connection, people: Sequence[PersonDraft], rules: Rules) -> list[EventCandidate]:
    """All events of these people that were withheld, planned: a decision releases them."""
    return _load_copies(conn, people, rules, WITHHELD_REASONS, only_storefront=False)


def _load_copies(
    conn: Connection,
    people: Sequence[PersonDraft],
    rules: Rules,
    reasons: Collection[WithheldReason],
    *,
    only_storefront: bool,
) -> list[EventCandidate]:
    copies = _load_withheld_copies(conn, people, reasons)
    gifts = GiftIndex(load.load_gifts(conn, [copy.candidate for copy in copies]), [])
    planned = plan_withheld_copies(copies, gifts, rules, only_storefront=only_storefront)
    note_omissions(planned, load_named_people(conn, planned), rules)
    return planned


def _load_withheld_copies(
    conn: Connection, people: Iterable[PersonDraft], reasons: Collection[WithheldReason]
) -> list[WithheldCopy]:
    """The recorded events of which these people's copies were withheld for one of these reasons."""
    event, event_people = core.Event.__table__, core.EventPerson.__table__
    by_id = {person.id: person for person in people}
    columns = [event.c[name] for name in EarlierEvent.__slots__]
    joined = select(*columns, event_people.c.person_id, event_people.c.role).join(
        event_people, event_people.c.event_id == event.c.id
    )
    copies: list[WithheldCopy] = []
    for part in chunks(by_id):
        query = joined.where(event_people.c.person_id.in_(part), event_people.c.reason.in_(reasons))
        for row in conn.execute(query.order_by(event.c.id)):
            values = row._asdict()
            person, role = by_id[values.pop("person_id")], values.pop("role")
            copies.append(WithheldCopy(rebuild_candidate(EarlierEvent(**values), person.store), person, role))
    return copies


def load_named_people(conn: Connection, candidates: Sequence[EventCandidate]) -> PersonResolver:
    """The people whom the gifts in these bodies name, and those who gave them."""
    keys: list[PersonKey] = [
        (candidate.store.id, "email", email) for candidate in candidates for email, _ in candidate.named_gifts if email
    ]
    givers = ((candidate.store.id, candidate.giver) for candidate in candidates if candidate.giver)
    keys += [key for store_id, giver in givers for key in build_person_keys(store_id, giver)]
    stores = {candidate.store.id: candidate.store for candidate in candidates}
    return PersonResolver(load.find_people(conn, keys, stores))
