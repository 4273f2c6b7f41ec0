"""The activity feed: events with whom they concern and what became of them, newest first, a page at a time.

No page is found by an offset: the next one begins below the last id, so that a page costs the same at a million events,
and none is shown twice while others arrive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, case, func, select

from pipeline.core.consent import WITHHELD_REASONS, WithheldReason
from pipeline.events.sentence_parts import NamedPerson, Part, SentenceSource
from pipeline.events.sentences import build_sentence
from pipeline.ledger.deliveries.stopped import STOPPED
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.queries.activity_filter import ActivityFilter, find_event_ids, find_newest_ids
from pipeline.ledger.queries.messages import STATE_OF, MessageState
from pipeline.ledger.queries.people import choose_name
from pipeline.ledger.schema.core import Delivery, Event, EventPerson, Lane, Person, Store, StoreConnection

FormatMoney = Callable[[int, str], str]  # minor units, currency -> text; handed in: its library is slow to import

# What a settled message means for its event; the first of these that a message has counts.
_SETTLED: dict[str, MessageState] = {status: STATE_OF[status] for status in ("dead", "sent", WITHHELD, STOPPED)}
_GIFT_NOTES = frozenset({"recipient_email_missing", "recipient_email_malformed", "recipient_is_buyer"})


@dataclass(frozen=True, slots=True)
class PlatformState:
    """What became of an event at one connection, over all its messages. The slowest and the worst of them count."""

    platform: str
    label: str
    title: str | None
    state: MessageState
    since: int  # µs: when it was written if it waits, else when it was settled
    reason: str | None  # of the first message that was refused: the platform's own words if it gave any, else a code


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of the feed. Times are µs."""

    id: int
    ulid: str
    receipt: str
    store: str
    name: str
    source: str
    outcome: str
    withheld: WithheldReason | None  # why nothing was sent about a person, if that is so
    is_test: bool
    sentence: tuple[Part, ...]
    occurred_at: int
    received_at: int
    recorded_at: int
    platforms: tuple[PlatformState, ...]


_COLUMNS_OF_ACTIVITY = [name for name in Activity.__slots__ if name not in ("withheld", "sentence", "platforms")]


def list_activity(
    conn: Connection,
    wanted: ActivityFilter,
    format_money: FormatMoney,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[Activity]:
    """A page of the feed, newest first: the newest events with ids below `before`, or the oldest above `after`."""
    ids = find_event_ids(conn, wanted, before=before, after=after, limit=limit)
    return load_activities(conn, ids, format_money)


def load_activities(conn: Connection, event_ids: Sequence[int], format_money: FormatMoney) -> list[Activity]:
    """These events, newest first. The caller has seen to it that the reader may see them."""
    people, platforms = _load_people(conn, event_ids), _load_platforms(conn, event_ids)
    columns = (
        *(Event.id, Event.ulid, Event.receipt, Store.name.label("store"), Store.currency, Event.name, Event.source),
        *(Event.outcome, Event.is_test, Event.notes, Event.data),
        *(Event.occurred_at, Event.received_at, Event.recorded_at),
    )
    query = select(*columns).join(Store, Store.id == Event.store_id).where(Event.id.in_(event_ids))
    return [
        Activity(
            **{name: getattr(row, name) for name in _COLUMNS_OF_ACTIVITY},
            withheld=next((note["code"] for note in row.notes if note.get("code") in WITHHELD_REASONS), None),
            sentence=_build_sentence(row, people[row.id], format_money),
            platforms=platforms[row.id],
        )
        for row in conn.execute(query.order_by(Event.id.desc()))
    ]


def load_change_tokens(conn: Connection, store_ids: Collection[int]) -> dict[int, str]:
    """A text for each store: it changes with a new event, a lane that has tried to send, or sending that stops."""
    newest = find_newest_ids(conn, store_ids)
    active = func.sum(case((StoreConnection.status == "active", 1), else_=0))  # lanes of connections that send
    columns = StoreConnection.store_id, func.sum(Lane.sent), func.max(Lane.taken_at), active
    query = select(*columns).join(Lane, Lane.connection_id == StoreConnection.id)
    rows = conn.execute(query.where(StoreConnection.store_id.in_(store_ids)).group_by(StoreConnection.store_id))
    lanes = {store_id: ".".join(map(str, found)) for store_id, *found in rows}
    return {store_id: f"{newest.get(store_id, 0)}.{lanes.get(store_id, '')}" for store_id in store_ids}


def _load_people(conn: Connection, event_ids: Sequence[int]) -> defaultdict[int, dict[str, NamedPerson]]:
    """{event id: {role: person}}."""
    columns = (EventPerson.event_id, EventPerson.role, Person.id, Person.attributes, Person.email, Person.customer_id)
    query = select(*columns).join(Person, Person.id == EventPerson.person_id).where(EventPerson.event_id.in_(event_ids))
    people: defaultdict[int, dict[str, NamedPerson]] = defaultdict(dict)
    for row in conn.execute(query.order_by(EventPerson.event_id, EventPerson.role, Person.id)):
        people[row.event_id].setdefault(row.role, NamedPerson(row.id, _name_person(row)))
    return people


def _name_person(row: Any) -> str | None:
    number = None if row.customer_id is None else f"customer {row.customer_id}"
    return choose_name(row.attributes, row.email) or number


def _load_platforms(conn: Connection, event_ids: Sequence[int]) -> defaultdict[int, tuple[PlatformState, ...]]:
    columns = (Delivery.event_id, Delivery.connection_id, Delivery.status, Delivery.reason, Delivery.detail)
    times = (Delivery.created_at, Delivery.done_at)
    names = (StoreConnection.platform, StoreConnection.label, StoreConnection.title)
    query = select(*columns, *times, *names).join(StoreConnection, StoreConnection.id == Delivery.connection_id)
    groups: defaultdict[int, defaultdict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in conn.execute(query.where(Delivery.event_id.in_(event_ids)).order_by(Delivery.id)):
        groups[row.event_id][row.connection_id].append(row)
    states: defaultdict[int, tuple[PlatformState, ...]] = defaultdict(tuple)
    for event_id, by_connection in groups.items():
        states[event_id] = tuple(_sum_up(rows) for rows in by_connection.values())
    return states


def _sum_up(rows: Sequence[Any]) -> PlatformState:
    """The state of an event at one connection: refused if a message was, waiting if one is, else sent if one was."""
    waiting = [row for row in rows if row.done_at is None]
    by_status = {status: [row for row in rows if row.status == status] for status in _SETTLED}
    status = next((status for status in _SETTLED if by_status[status]), None)
    build = partial(PlatformState, rows[0].platform, rows[0].label, rows[0].title)
    if status is None or (waiting and status != "dead"):
        return build("waiting", min(row.created_at for row in waiting), None)
    settled = by_status[status]
    reason = (settled[0].detail or settled[0].reason) if status == "dead" else None
    return build(_SETTLED[status], max(row.done_at for row in settled), reason)


def _build_sentence(row: Any, people: dict[str, NamedPerson], format_money: FormatMoney) -> tuple[Part, ...]:
    codes = {note.get("code") for note in row.notes}
    buyer = people.get("customer")
    recipient = people.get("gift_recipient") or (buyer if "recipient_is_buyer" in codes else None)
    return build_sentence(
        SentenceSource(
            event=row.name,
            data=row.data,
            format_money=lambda minor_units: format_money(minor_units, row.currency),
            buyer=buyer,
            recipient=recipient,
            is_gift=recipient is not None or bool(codes & _GIFT_NOTES),
            is_test=row.is_test,
        )
    )
