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

from pipeline.events.happening import happening_of
from pipeline.events.listed import LISTED
from pipeline.fan_out.facts import Fact
from pipeline.fan_out.plan import Concerned, Plan, is_test
from pipeline.ledger import tables
from pipeline.ledger.deliveries.words import GIVES_WAY
from pipeline.model import ValidHook
from pipeline.record.casting import cast_stories
from pipeline.record.events import write_casts
from pipeline.record.gift_memory import GiftMemory
from pipeline.record.known import StoreRow, profiled, table_of
from pipeline.record.late_gifts import late_copies
from pipeline.record.messages import Mailroom, Row, write_deliveries
from pipeline.record.people import Key, PeopleBook
from pipeline.record.story import Story

SOURCE = "backfill"


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Objects of one collection, as loaded. `reading` names the reading of the collection they belong to.

    `tells`: people are told of at once; else somebody tells of them later, with whatever is known by then.
    """

    resource: str
    objects: Sequence[dict[str, Any]]
    asked_at: int  # µs
    reading: int | str
    tells: bool


def record_page(db: Database, store: StoreRow, page: ListedPage, now: int) -> int:
    """Write a page; returns how many of its objects this reading had not shown before."""
    stories = [_story(store, page.resource, one, page.asked_at) for one in page.objects]
    memory = GiftMemory(db, stories)
    for story in stories:
        if not story.silent:
            story.plan = _marked(story, story.planned(memory.of(store.id)), page.reading)
    late = late_copies(db, memory, stories)
    book = cast_stories(db, [*stories, *late], now)
    fresh = sum(_is_new(story, page.reading) for story in stories)
    known = profiled(db, {someone.id for story in (*stories, *late) for _, someone in story.cast})
    rows = Mailroom(known, now, GIVES_WAY).rows(stories) if page.tells else _noted(stories)
    rows += Mailroom(known, now).rows(late)
    write_casts(db, late)
    memory.write()
    book.write_changes()
    write_deliveries(db, rows)
    return fresh


def tell_untold(db: Database, store: StoreRow, limit: int, now: int) -> int:
    """Make profiles of people of whom more is known than any profile has told; returns how many there were."""
    people = table_of(tables.Person)
    columns = people.c.customer_id, people.c.email
    query = select(*columns).where(people.c.store_id == store.id, people.c.untold_since.is_not(None))
    found = db.execute(query.order_by(people.c.id).limit(limit)).all()
    book = PeopleBook(db, [_key(store, row.customer_id, row.email) for row in found], [store], now)
    everybody = book.everybody
    mailroom = Mailroom(profiled(db, {one.id for one in everybody}), now, GIVES_WAY)
    story, nothing = _story(store, "customers", {}, now), Concerned("customer", None, None, (), {}, ())
    rows = [row for someone in everybody for row in mailroom.copy(story, nothing, someone)]
    book.write_changes()
    write_deliveries(db, rows)
    return len(everybody)


def _noted(stories: Sequence[Story]) -> list[Row]:
    for story in stories:
        for concerned, someone in story.cast:
            someone.note(concerned.facts, story.happening.received_at)
    return []


def _story(store: StoreRow, resource: str, data: dict[str, Any], asked_at: int) -> Story:
    row = LISTED[resource]
    hook = ValidHook(
        entry_id="",
        receipt="",
        store=store.name,
        version=store.token_version,
        event=row.name,
        received_at=asked_at,
        source=SOURCE,
        form="",
        fingerprint="",
        decoded_at=asked_at,
        validated_at=asked_at,
        data=data,
        unknown=[],
    )
    silent = not store.forward_tests and is_test(row, data)
    return Story(hook, store, row, happening_of(row, data, "", asked_at), silent=silent)


def _marked(story: Story, plan: Plan, reading: int | str) -> Plan:
    """The plan, with a fact that says in which reading the object was shown: pages may repeat."""
    kind, subject, name = _mark(story)
    people = tuple(
        replace(
            one, facts=tuple(_with(fact, name, reading) if _is(fact, kind, subject) else fact for fact in one.facts)
        )
        if one.role == "customer"
        else one
        for one in plan.people
    )
    return replace(plan, people=people)


def _is_new(story: Story, reading: int | str) -> bool:
    """What concerns nobody, or is only a test, leaves no mark: it can only be taken for new."""
    kind, subject, name = _mark(story)
    customers = (someone for concerned, someone in story.cast if concerned.role == "customer")
    return all(one.known.get((kind, subject), {}).get(name, (0, None))[1] != reading for one in customers)


def _mark(story: Story) -> tuple[str, str, str]:
    """The fact that carries the mark, and the mark's name: two customers may be one person."""
    kind, number = str(story.row.subject), str(story.data.get("id"))
    return kind, "" if kind == "customer" else number, f"listed:{number}"


def _is(fact: Fact, kind: str, subject: str) -> bool:
    return (fact.kind, fact.subject) == (kind, subject)


def _with(fact: Fact, name: str, value: int | str) -> Fact:
    return replace(fact, fields={**fact.fields, name: value})


def _key(store: StoreRow, customer_id: int | None, email: str | None) -> Key:
    return (store.id, "customer", str(customer_id)) if customer_id is not None else (store.id, "email", str(email))
