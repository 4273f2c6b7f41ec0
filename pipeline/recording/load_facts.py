"""Loads people with their facts: all of them, or, of people who have many, those that a batch needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import BindParameter, Connection, and_, bindparam, select

from pipeline.core.consent import ORIGIN_UNKNOWN
from pipeline.fan_out.rollup import VERSION, FactKey, Rollup, leave_out, list_needed, load_rollup
from pipeline.ledger.schema import core
from pipeline.ledger.schema.rollups import FactRollup
from pipeline.ledger.sql.tables import chunks, select_by_keys
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.people import PersonDraft
from pipeline.recording.snapshot import RecordingStore

_PERSON, _FACT, _ROLLUP = (model.__table__ for model in (core.Person, core.Fact, FactRollup))
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_IS_ROLLUP = and_(_ROLLUP.c.person_id == _PERSON.c.id, _ROLLUP.c.version == VERSION)
_WITH_ROLLUP = select(_PERSON, _ROLLUP.c.data.label("rollup")).join(_ROLLUP, _IS_ROLLUP, isouter=True)
_SELECT_PEOPLE = _WITH_ROLLUP.where(_PERSON.c.id.in_(_IDS))
_SELECT_FACTS = select(_FACT).where(_FACT.c.person_id.in_(_IDS))
_FACT_KEY = _FACT.c.person_id, _FACT.c.kind, _FACT.c.subject


def load_drafts(
    conn: Connection, ids: Iterable[int], stores: Mapping[int, RecordingStore]
) -> tuple[dict[int, PersonDraft], dict[int, Rollup]]:
    """These people of these stores, without their facts, and the rollups of those who have one, by id."""
    found: dict[int, PersonDraft] = {}
    rollups: dict[int, Rollup] = {}
    for part in chunks(set(ids)):
        for row in conn.execute(_SELECT_PEOPLE, {"ids": part}):
            found[row.id] = PersonDraft(
                stores[row.store_id],
                row.customer_id,
                row.email,
                row.id,
                attributes=dict(row.attributes),
                unsent_since=row.untold_since,
                withheld=row.withheld,
                was_withheld=row.withheld,
            )
            if row.rollup is not None:
                rollups[row.id] = load_rollup(row.rollup)
    return found, rollups


def load_all_facts(conn: Connection, people: Mapping[int, PersonDraft]) -> None:
    """Give each of these people, by id, all their facts."""
    for part in chunks(people):
        for row in conn.execute(_SELECT_FACTS, {"ids": part}):
            people[row.person_id].known[row.kind, row.subject] = dict(row.data)


def list_touched_facts(candidates: Iterable[EventCandidate]) -> dict[int, set[FactKey]]:
    """The facts that resolved candidates touch, by the id of their person: those they have, and what they are about."""
    touched: dict[int, set[FactKey]] = {}
    for candidate in candidates:
        about = str(candidate.row.subject), str(candidate.data.get("id"))
        for affected, person in candidate.resolved_people:
            named = ((fact.kind, fact.subject) for fact in affected.facts)
            touched.setdefault(person.id, set()).update((about, *named))
    return touched


def load_needed_facts(
    conn: Connection,
    people: Mapping[int, PersonDraft],
    rollups: Mapping[int, Rollup],
    touched: Mapping[int, Collection[FactKey]],
) -> None:
    """Give these people, by id, all their facts, or those that their rollup names and the touched ones.

    All: of people without a rollup, of those whose earlier events may be sent now, since these touch facts as well, and
    of those of whom the touched facts include every leader of a ranking.
    """
    partly = {id_: rollup for id_, rollup in rollups.items() if people[id_].withheld != ORIGIN_UNKNOWN}
    needed = {id_: list_needed(rollup, touched.get(id_, ())) for id_, rollup in partly.items()}
    keys = [(id_, *key) for id_, wanted in needed.items() for key in wanted]
    for row in select_by_keys(conn, (*_FACT_KEY, _FACT.c.data), _FACT_KEY, keys):
        people[row.person_id].known[row.kind, row.subject] = dict(row.data)
    complete = {id_: person for id_, person in people.items() if id_ not in partly}
    for id_, rollup in partly.items():
        person = people[id_]
        rest = leave_out(rollup, person.known, touched.get(id_, frozenset()))
        if rest is None:
            complete[id_] = person
        else:
            person.rest, person.can_note = rest, needed[id_]
    load_all_facts(conn, complete)
