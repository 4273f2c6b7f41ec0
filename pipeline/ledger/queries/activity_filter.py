"""Which events a page of the activity feed holds: their ids, found by an index for every filter.

No page is found by an offset or by counting: the next one begins below the last id. Each store is read by its own index
and the results are merged (`by_store`), so that neither the number of stores nor a busy neighbour makes a page slow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from pipeline.core.hooks import RECONCILE, REPLAY
from pipeline.ledger.counts.keys import HOUR_US
from pipeline.ledger.deliveries.stopped import STOPPED
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.queries.by_store import Order, find_ids_by_store
from pipeline.ledger.schema.core import Delivery, Event, EventPerson, EventSubject, Store
from pipeline.ledger.schema.counts import EventRepeat
from pipeline.ledger.schema.replays import ReplayItem

# One of these holds for every event (kept, withheld, waiting, sent, refused: the worst of its messages counts), so that
# their numbers add up; the others may hold besides.
Show = Literal["waiting", "refused", "recovered", "tests", "sent", "kept", "withheld", "repeats", "unreadable"]


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which events to show; None does not filter. `since` and `until` are times of receiving in µs, both included: of
    the event's hook, and where repeats are asked for, of a repeat (by the hour, as they are counted).

    `subject`: what an event is about, such as ("order", 7001), be it only one of several things.
    """

    store_ids: tuple[int, ...]
    show: Show | None = None
    name: str | None = None
    source: str | None = None
    person_id: int | None = None
    subject: tuple[str, int] | None = None
    since: int | None = None
    until: int | None = None
    replay_id: int | None = None  # those of which a replay has sent something again


def find_event_ids(
    conn: Connection, wanted: ActivityFilter, *, before: int | None = None, after: int | None = None, limit: int
) -> list[int]:
    """The newest ids of a filter's events, below `before`; or the oldest above `after`. Unreadable hooks have none."""
    oldest_first = after is not None
    order = Order(lowest_first=oldest_first)
    found: set[int] = set()
    for narrowed in _narrow(conn, wanted, before, after):
        for column, build in _find_places(wanted):
            of_store = narrowed.apply(column, build()).order_by(column.asc() if oldest_first else column.desc())
            found.update(find_ids_by_store(conn, wanted.store_ids, of_store.limit(limit), limit, order))
    return sorted(found, reverse=not oldest_first)[:limit]


def find_newest_ids(conn: Connection, store_ids: Collection[int]) -> dict[int, int]:
    """The id of the newest event of each store; a store without events is absent."""
    newest = select(func.max(Event.id)).where(Event.store_id == Store.id).scalar_subquery()
    rows = conn.execute(select(Store.id, newest.label("newest")).where(Store.id.in_(store_ids)))
    return {row.id: row.newest for row in rows if row.newest is not None}


def find_id_recorded_by(conn: Connection, at: int) -> int:
    """The id of the last event that was recorded at this time (µs) or before; 0 for none.

    Ids and times of recording grow together, but for the moment in which two chains record, so it is searched by
    halves: no index of times is needed.
    """
    low, high = 0, conn.execute(select(func.max(Event.id))).scalar() or 0
    while low < high:
        middle = (low + high + 1) // 2
        nearest = select(Event.id, Event.recorded_at).where(Event.id <= middle).order_by(Event.id.desc()).limit(1)
        row = conn.execute(nearest).one_or_none()
        if row is None or row.recorded_at <= at:
            low = middle
        else:
            high = row.id - 1
    return low


Column = InstrumentedAttribute[Any]
_Place = tuple[Column, Callable[[], Select[Any]]]
_RARE_SOURCES = (RECONCILE, REPLAY)
LATE_US = 3_600_000_000  # an event that is recorded so long after its hook was received is late


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """What a filter asks of every event: bounds of its id (the first included, the last not), and conditions."""

    first: int | None
    last: int | None
    conditions: Sequence[ColumnElement[bool]]

    def apply(self, row_id: Column, query: Select[Any]) -> Select[Any]:
        """The query for these events only. `row_id`: its column with the id of an event."""
        if self.first is not None:
            query = query.where(row_id >= self.first)
        if self.last is not None:
            query = query.where(row_id < self.last)
        if not self.conditions:
            return query
        if row_id is Event.id:
            return query.where(*self.conditions)
        return query.where(exists().where(Event.id == row_id, *self.conditions))


def _narrow(conn: Connection, wanted: ActivityFilter, before: int | None, after: int | None) -> list[_Narrowed]:
    """What is asked of every event: all that holds of one of these is found.

    Ids grow with the time of recording, which is seldom much later than that of receiving; the few events that were
    recorded long after their hook had come, such as replayed ones, are found by an index of their own.
    """
    first, last, conditions = None if after is None else after + 1, before, _build_conditions(wanted)
    if _asks_for_repeats_of_a_time(wanted):
        return [_Narrowed(first, last, conditions)]
    if wanted.since is not None:
        conditions.append(Event.received_at >= wanted.since)
        first = max(first or 0, find_id_recorded_by(conn, wanted.since - LATE_US) + 1)
    if wanted.until is None:
        return [_Narrowed(first, last, conditions)]
    conditions.append(Event.received_at <= wanted.until)
    end = find_id_recorded_by(conn, wanted.until + LATE_US) + 1
    in_time = _Narrowed(first, end if last is None else min(end, last), conditions)
    return [in_time, _Narrowed(max(first or 0, end), last, [*conditions, _select_late(wanted)])]


def _select_late(wanted: ActivityFilter) -> ColumnElement[bool]:
    """Those recorded late, as a list of ids: otherwise SQLite would read all later events in the order of their ids."""
    late = aliased(Event)
    query = select(late.id).where(late.store_id == Store.id, late.received_at <= wanted.until, _is_late(late))
    query = query.where(late.received_at >= wanted.since) if wanted.since is not None else query
    return Event.id.in_(query.correlate(Store))


def _asks_for_repeats_of_a_time(wanted: ActivityFilter) -> bool:
    return wanted.show == "repeats" and (wanted.since is not None or wanted.until is not None)


def _find_places(wanted: ActivityFilter) -> Sequence[_Place]:
    if _asks_for_repeats_of_a_time(wanted):
        return ((EventRepeat.event_id, partial(_repeated, wanted.since, wanted.until)),)
    is_rare = wanted.source in _RARE_SOURCES
    return _RARE_AND_KEPT if is_rare and wanted.show == "kept" else _SHOWN[wanted.show]


def _build_conditions(wanted: ActivityFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.name is not None:
        conditions.append(Event.name == wanted.name)
    if wanted.source is not None:
        source = _literal(wanted.source) if wanted.source in _RARE_SOURCES else wanted.source
        conditions.append(Event.source == source)
    if wanted.person_id is not None:
        theirs = select(EventPerson.event_id).where(EventPerson.person_id == wanted.person_id)
        conditions.append(Event.id.in_(theirs))
    if wanted.subject is not None:
        kind, number = wanted.subject
        about = EventSubject.kind == kind, EventSubject.subject_id == number
        # Of the one store that is read: with a list of all stores PostgreSQL would search all of them for each.
        of_store = select(EventSubject.event_id).where(EventSubject.store_id == Store.id, *about)
        conditions.append(Event.id.in_(of_store.correlate(Store)))
    if wanted.replay_id is not None:
        touched = ReplayItem.replay_id == wanted.replay_id, ReplayItem.state.in_(("open", "done", "failed"))
        conditions.append(Event.id.in_(select(ReplayItem.event_id).where(*touched)))
    return conditions


def _literal(value: str | int) -> ColumnElement[Any]:
    """A value that is written into the SQL: the partial indexes hold the same text."""
    return literal(value, literal_execute=True)


def _of_store(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(Event.id).where(Event.store_id == Store.id, *conditions)


def _is_late(event: type[Event]) -> ColumnElement[bool]:
    return event.recorded_at > event.received_at + _literal(LATE_US)  # as the partial index has it


def _has(event_id: Column, state: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    message = aliased(Delivery)
    return exists().where(message.event_id == event_id, state(message))


def _is_open(message: Any) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", message.done_at.is_(None))


def _is(*states: str) -> Callable[[Any], ColumnElement[bool]]:
    if len(states) == 1:
        return lambda message: message.status == _literal(states[0])
    return lambda message: message.status.in_([_literal(state) for state in states])


def _by_message(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Events with such a message, found by the message: there are few of them among all."""
    theirs = Delivery.store_id == Store.id, Delivery.event_id.is_not(None)
    return select(Delivery.event_id.label("id")).where(*theirs, *conditions).distinct()


def _repeated(since: int | None, until: int | None) -> Select[Any]:
    """Events that were repeated in these hours."""
    query = select(EventRepeat.event_id.label("id")).where(EventRepeat.store_id == Store.id).distinct()
    query = query.where(EventRepeat.hour >= since // HOUR_US) if since is not None else query
    query = query.where(EventRepeat.hour <= until // HOUR_US) if until is not None else query
    return query.where(exists().where(Event.id == EventRepeat.event_id))  # its rows may outlive the event


_IS_FORWARDED = Event.outcome == "forwarded"
_IS_KEPT = Event.outcome.not_in([_literal("forwarded"), _literal("withheld")])
# The condition of the partial index of these messages: SQLite does not infer it from one of the two states.
_IS_UNSENT = Delivery.status.in_([_literal(WITHHELD), _literal(STOPPED)])
_DEAD, _SENT, _WITHHELD, _STOPPED = _is("dead"), _is("sent"), _is(WITHHELD), _is(STOPPED)


def _by_worst(
    state: Callable[[Any], ColumnElement[bool]], *worse: Callable[[Any], ColumnElement[bool]]
) -> tuple[Column, Callable[[], Select[Any]]]:
    """Forwarded events with a message in this state and none in a worse one."""
    is_forwarded = exists().where(Event.id == Delivery.event_id, _IS_FORWARDED)
    none_worse = [~_has(Delivery.event_id, one) for one in worse]
    indexed = [_IS_UNSENT] if state in (_WITHHELD, _STOPPED) else []
    return Delivery.event_id, partial(_by_message, *indexed, state(Delivery), is_forwarded, *none_worse)


# What a view shows -> where it is found: the columns with the events' ids, and the queries. `FlowCounts` counts alike:
# a forwarded event is refused, waiting, sent, withheld or kept, the first that one of its messages is.
_NOT_ON_THE_WAY = ~_has(Event.id, _is_open), ~_has(Event.id, _DEAD)
_SHOWN: dict[Show | None, tuple[_Place, ...]] = {
    None: ((Event.id, _of_store),),
    "refused": (_by_worst(_DEAD),),
    "waiting": (_by_worst(_is_open, _DEAD),),
    "sent": ((Event.id, partial(_of_store, _IS_FORWARDED, _has(Event.id, _SENT), *_NOT_ON_THE_WAY)),),
    "withheld": (
        (Event.id, partial(_of_store, Event.outcome == "withheld")),
        _by_worst(_WITHHELD, _DEAD, _is_open, _SENT),
    ),
    "kept": ((Event.id, partial(_of_store, _IS_KEPT)), _by_worst(_STOPPED, _DEAD, _is_open, _SENT, _WITHHELD)),
    "recovered": ((Event.id, partial(_of_store, Event.source == _literal(RECONCILE))),),
    "tests": ((Event.id, partial(_of_store, Event.is_test == _literal(True))),),  # noqa: FBT003
    "repeats": ((Event.id, partial(_of_store, Event.duplicates > _literal(0))),),
    "unreadable": (),
}
# With bound values, so that the index of the rare source is used and not that of the many events that are kept.
_RARE_AND_KEPT: tuple[_Place, ...] = ((Event.id, partial(_of_store, Event.outcome.not_in(["forwarded", "withheld"]))),)
