"""Everything about one person that pages, commands and the API show: who they are, their events, and why.

The same words everywhere: pages and commands add links and layout only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, select

from pipeline.core.consent import COMMAND_LINE
from pipeline.destinations import DESTINATIONS
from pipeline.events.catalogue import API_OBJECTS
from pipeline.fan_out.attribute_history import AttributeHistory, build_histories
from pipeline.fan_out.consent import RELEASE
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.queries.activity import Activity, FormatMoney, load_activities
from pipeline.ledger.queries.gifts import Gifts, list_gifts
from pipeline.ledger.queries.history import list_attribute_changes
from pipeline.ledger.queries.people import PersonDetail, choose_name, get_person
from pipeline.ledger.queries.person_events import (
    EventsAsked,
    TrackedMessage,
    list_messages_of_no_event,
    list_person_events,
)
from pipeline.ledger.regulations import RegulationRow, list_person_regulations
from pipeline.ledger.schema.core import Event
from pipeline.ledger.stores import StoreRow
from pipeline.people.answers import Answer, build_message_case, load_answers
from pipeline.people.causes import Cause, Verdict, build_verdict, format_date
from pipeline.people.headline import describe_person
from pipeline.people.missing import UnreadableHook, find_missing, find_unlinked, find_unreadable
from pipeline.people.verdict import EventCase, judge
from pipeline.regulations.people import load_person
from pipeline.regulations.progress import describe_destinations

TIMELINE_SIZE = 30  # items of a page of the timeline
MAX_ANSWERS = 20  # of one question


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Whether the person agreed to marketing, and whether their data may leave. Times are µs."""

    accepts_marketing: bool | None  # None: the store has never said
    said_at: int | None
    said_by: str | None  # "order new", or "Cratejoy's API"
    withheld: str | None  # why nothing is sent, as a sentence
    released_by: str | None  # "command line", or "a user"
    released_at: int | None


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """A step of the timeline: an event with its answer, or a message that belongs to none. `at`: µs."""

    at: int
    event: Activity | None
    answer: Answer | None
    message: TrackedMessage | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class TimelineCursor:
    """Where the next page of a timeline begins: below this event, and below this message of no event."""

    event_id: int | None = None
    delivery_id: int | None = None

    def __str__(self) -> str:
        return f"{self.event_id or ''}.{self.delivery_id or ''}"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it, the newest first. `older`: None if there is no more."""

    items: tuple[TimelineItem, ...]
    older: TimelineCursor | None


@dataclass(frozen=True, slots=True)
class Why:
    """Why events were sent about the person or were not, the newest first; and what became no event."""

    asked: EventsAsked
    events: tuple[TimelineItem, ...]
    has_more: bool
    unlinked: tuple[TimelineItem, ...]  # test orders and unknown events that name the person
    missing: tuple[Verdict, ...]
    unreadable: tuple[UnreadableHook, ...]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person. `origins`: event id -> name, of the kept events among those that changed attributes."""

    detail: PersonDetail = field(repr=False)
    headline: tuple[str, ...] = field(repr=False)
    histories: tuple[AttributeHistory, ...] = field(repr=False)
    origins: Mapping[int, str]
    consent: ConsentState
    gifts: Gifts
    hints: tuple[str, ...] = field(repr=False)  # what to do at a platform, such as after a change of the address
    erasures: tuple[tuple[RegulationRow, list[dict[str, Any]]], ...]

    @property
    def name(self) -> str:
        """What the person is called."""
        return choose_name(self.detail.attributes, self.detail.email) or f"Person {self.detail.id}"

    @property
    def is_erased(self) -> bool:
        return bool(self.erasures) and not self.detail.keys

    @property
    def is_waiting_to_be_forgotten(self) -> bool:
        """Whether a platform has been asked to forget the person and has not answered."""
        return any(place["state"] == "open" for _, places in self.erasures for place in places)


def load_person_page(conn: Connection, store: StoreRow, person_id: int, now: int) -> PersonPage | None:
    """The person of this store with this id; None if there is none."""
    detail = get_person(conn, store.id, person_id)
    if detail is None:
        return None
    histories = build_histories(detail.attributes, list_attribute_changes(conn, person_id))
    name = choose_name(detail.attributes, None)
    return PersonPage(
        detail=detail,
        headline=tuple(describe_person(name, detail.email, detail.attributes, now)),
        histories=tuple(histories),
        origins=_load_origins(conn, histories),
        consent=_build_consent(detail),
        gifts=list_gifts(conn, store.id, person_id),
        hints=tuple(_list_hints(conn, store, detail, histories)),
        erasures=tuple(_load_erasures(conn, person_id)),
    )


def load_timeline(
    conn: Connection, person_id: int, format_money: FormatMoney, now: int, cursor: TimelineCursor = TimelineCursor()
) -> Timeline:
    """A page of what happened around the person: events, and messages that belong to none, by their times."""
    ids = list_person_events(conn, person_id, EventsAsked(), before=cursor.event_id, limit=TIMELINE_SIZE + 1)
    alone = list_messages_of_no_event(conn, person_id, before=cursor.delivery_id, limit=TIMELINE_SIZE + 1)
    items = [*load_items(conn, ids, person_id, format_money, now), *(_build_message_item(one, now) for one in alone)]
    items.sort(key=lambda item: item.at, reverse=True)
    shown = items[:TIMELINE_SIZE]
    last_event = min((item.event.id for item in shown if item.event), default=cursor.event_id)
    last_message = min((item.message.id for item in shown if item.message), default=cursor.delivery_id)
    older = TimelineCursor(last_event, last_message) if len(items) > TIMELINE_SIZE else None
    return Timeline(tuple(shown), older)


def answer_why(
    conn: Connection, store: StoreRow, person_id: int, asked: EventsAsked, format_money: FormatMoney, now: int
) -> Why:
    """What became of the person's events of this kind; and what names the person and became no event."""
    ids = list_person_events(conn, person_id, asked, limit=MAX_ANSWERS + 1)
    items = load_items(conn, ids[:MAX_ANSWERS], person_id, format_money, now)
    person = load_person(conn, store, person_id)
    return Why(
        asked,
        tuple(items),
        has_more=len(ids) > MAX_ANSWERS,
        unlinked=tuple(_load_unlinked(conn, find_unlinked(conn, person), asked, format_money, now)),
        missing=tuple(find_missing(conn, person, store.created_at, now)),
        unreadable=tuple(find_unreadable(conn, person)),
    )


def load_items(
    conn: Connection, event_ids: Collection[int], person_id: int, format_money: FormatMoney, now: int
) -> list[TimelineItem]:
    """These events of the person with their answers, the newest first."""
    answers = {answer.concerned.event_id: answer for answer in load_answers(conn, event_ids, now, person_id)}
    return [
        TimelineItem(event.recorded_at, event, answer, None, answer.verdicts)
        for event in load_activities(conn, list(event_ids), format_money)
        if (answer := answers.get(event.id)) is not None
    ]


def _load_unlinked(
    conn: Connection, event_ids: Sequence[int], asked: EventsAsked, format_money: FormatMoney, now: int
) -> Iterator[TimelineItem]:
    for event in load_activities(conn, event_ids, format_money) if event_ids else ():
        if asked.name in (None, event.name) and event.recorded_at >= (asked.since or 0):
            yield TimelineItem(event.recorded_at, event, None, None, tuple(judge(_build_case(event), [], now)))


def _build_case(event: Activity) -> EventCase:
    at, came = event.occurred_at, event.received_at
    return EventCase(name=event.name, outcome=event.outcome, reason=None, occurred_at=at, received_at=came)


def _build_message_item(message: TrackedMessage, now: int) -> TimelineItem:
    at = message.created_at
    event = EventCase(
        name=message.kind, outcome="forwarded", reason=None, occurred_at=at, received_at=at, is_no_event=True
    )
    return TimelineItem(at, None, None, message, tuple(judge(event, [build_message_case(message)], now)))


def _load_origins(conn: Connection, histories: Sequence[AttributeHistory]) -> dict[int, str]:
    ids = {value.event_id for history in histories for value in (history.now, *history.earlier)} - {None}
    rows = conn.execute(select(Event.id, Event.name).where(Event.id.in_(ids))) if ids else ()
    return {row.id: row.name for row in rows}


def _build_consent(person: PersonDetail) -> ConsentState:
    facts = {(fact.kind, fact.subject): fact.data for fact in person.facts}
    said_at, said = facts.get(("customer", ""), {}).get("accepts_marketing", (None, None))
    released_at, released_by = facts.get((RELEASE, ""), {}).get("decided_by", (None, None))
    api_names = {row.name for row in API_OBJECTS.values()}
    source = (said or {}).get("from")
    return ConsentState(
        accepts_marketing=(said or {}).get("value"),
        said_at=said_at,
        said_by="Cratejoy's API" if source in api_names else source and source.replace("_", " "),
        withheld=build_verdict(cast("Cause", person.withheld), {}).sentence if person.withheld else None,
        released_by=released_by and (COMMAND_LINE if released_by == COMMAND_LINE else "a user"),
        released_at=released_at,
    )


def _list_hints(
    conn: Connection, store: StoreRow, person: PersonDetail, histories: Sequence[AttributeHistory]
) -> list[str]:
    """What a platform needs after a change of the address: it may keep the old one."""
    email = next((history for history in histories if history.name == "email" and history.earlier), None)
    if email is None or person.customer_id is None or email.now.since is None:
        return []
    platforms = {row.platform for row in list_store_connections(conn, store.id)}
    changed = f"The address changed on {format_date(email.now.since)}; before it was {email.earlier[0].value}."
    helps = (DESTINATIONS[name].address_change_help for name in sorted(platforms) if name in DESTINATIONS)
    return [f"{changed} {text}" for text in helps if text]


def _load_erasures(conn: Connection, person_id: int) -> list[tuple[RegulationRow, list[dict[str, Any]]]]:
    rows = list_person_regulations(conn, person_id)
    places = describe_destinations(conn, [row.id for row in rows])
    return [(row, [place for place in places if place["regulation"] == row.id]) for row in rows]
