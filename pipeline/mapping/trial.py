"""What a connection would get of recent events by a mapping, as counts. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from pipeline.core.messages import Message, PersonRef
from pipeline.events.fields import US_PER_SECOND
from pipeline.ledger.schema import core
from pipeline.ledger.stores import StoreRow
from pipeline.mapping.rules import ConnectionMapping, apply_mapping

MAX_EVENTS = 10_000
_MAX_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """What a change of the mapping would do to recent events, and to the profiles of the people they are about.

    `renamed`: by our name, what they are called before and after. `example_ids`: of events that change.
    """

    events: int
    unchanged: int
    changed: int
    no_longer_sent: int
    newly_sent: int
    people: int
    profiles_changed: int
    attributes: Sequence[str]  # that the profiles have, in the order of the alphabet
    renamed: Sequence[tuple[str, str | None, str | None]] = ()
    example_ids: Sequence[int] = field(default_factory=tuple)


def try_mapping(
    conn: Connection, store: StoreRow, before: ConnectionMapping, after: ConnectionMapping, last: int
) -> TrialCounts:
    """Compare two mappings over the store's newest `last` events that go to platforms."""
    counts: Counter[str] = Counter()
    renamed: set[tuple[str, str | None, str | None]] = set()
    examples: list[int] = []
    rows = list(_list_events(conn, store, min(last, MAX_EVENTS)))
    for event_id, name in rows:
        old, new = before.events.get(name, name), after.events.get(name, name)
        verdict = _judge(old, new)
        counts[verdict] += 1
        if verdict != "unchanged":
            renamed.add((name, old, new))
            examples += [event_id] if len(examples) < _MAX_EXAMPLES else []
    people = _list_profiles(conn, [event_id for event_id, _ in rows])
    changed = sum(apply_mapping(before, one).data != apply_mapping(after, one).data for one in people)
    return TrialCounts(
        events=len(rows),
        **{name: counts[name] for name in ("unchanged", "changed", "no_longer_sent", "newly_sent")},
        people=len(people),
        profiles_changed=changed,
        attributes=sorted({name for one in people for name in one.data}),
        renamed=sorted(renamed, key=str),
        example_ids=examples,
    )


def _judge(old: str | None, new: str | None) -> str:
    if old == new:
        return "unchanged"
    if old is None or new is None:
        return "newly_sent" if old is None else "no_longer_sent"
    return "changed"


def _list_events(conn: Connection, store: StoreRow, last: int) -> Iterator[tuple[int, str]]:
    event = core.Event.__table__.c
    sent = event.store_id == store.id, event.outcome.in_(("forwarded", "recorded"))
    query = select(event.id, event.name).where(*sent).order_by(event.id.desc()).limit(last)
    for row in conn.execute(query):
        yield row.id, row.name


def _list_profiles(conn: Connection, event_ids: Sequence[int]) -> list[Message]:
    """The profiles, as of now, of the people whom these events concern."""
    person, concerned = core.Person.__table__, core.EventPerson.__table__
    found: dict[int, Message] = {}
    for start in range(0, len(event_ids), 500):
        part = event_ids[start : start + 500]
        of_events = select(concerned.c.person_id).where(concerned.c.event_id.in_(part))
        columns = (person.c.id, person.c.customer_id, person.c.email, person.c.attributes, person.c.known_at)
        for row in conn.execute(select(*columns).where(person.c.id.in_(of_events), person.c.withheld.is_(None))):
            ref = PersonRef(row.id, row.customer_id, row.email)
            found[row.id] = Message(0, ref, "profile", row.known_at // US_PER_SECOND, row.attributes)
    return list(found.values())
