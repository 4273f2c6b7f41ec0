"""The rows of the feed: events, and hooks that could not be read, with what became of them in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.events.money import format_money
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import Activity, ActivityFilter, list_activity, load_activities
from pipeline.ledger.queries.unreadable import UnreadableHook, list_unreadable_hooks
from receiver.pages.activity.query import Query
from receiver.pages.activity.wording import Mark, describe_outcome, describe_unreadable
from receiver.pages.db_session import get_context


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as a row of the feed."""

    event: Activity
    marks: Sequence[Mark]

    @property
    def id(self) -> int:
        return self.event.id

    @property
    def is_open(self) -> bool:
        """Whether its state will still change by itself."""
        return any(mark.tone == "waits" for mark in self.marks)


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A hook that could not be read, as a row of the feed."""

    hook: UnreadableHook
    marks: Sequence[Mark]

    @property
    def id(self) -> int:
        return self.hook.id


def load_newest_rows(conn: Connection, store_id: int, limit: int, now: int) -> list[EventRow]:
    """The newest events of a store."""
    return _view(list_activity(conn, ActivityFilter(store_ids=(store_id,)), format_money, limit=limit), now)


def load_row(conn: Connection, event_id: int, now: int) -> EventRow | None:
    """One event of a store that the caller may see; None if it is not kept any more."""
    return next(iter(_view(load_activities(conn, [event_id], format_money), now)), None)


def load_rows(query: Query, limit: int) -> list[EventRow]:
    """The events of a page."""
    with reading(get_context().engine) as conn:
        found = list_activity(conn, query.wanted, format_money, before=query.before, after=query.after, limit=limit)
    return _view(found, get_context().now())


def load_unreadable_rows(query: Query, limit: int) -> list[UnreadableRow]:
    """The hooks of a page that could not be read, if the address asks for them."""
    if query.wanted.show != "unreadable":
        return []
    with reading(get_context().engine) as conn:
        found = list_unreadable_hooks(conn, query.wanted, before=query.before, limit=limit)
    return [UnreadableRow(hook, describe_unreadable(hook)) for hook in found]


def load_my_rows(stores: Collection[VisibleStore], event_ids: Sequence[int]) -> list[EventRow]:
    """These events, without those of other accounts' stores."""
    mine = {store.name for store in stores}
    with reading(get_context().engine) as conn:
        found = load_activities(conn, event_ids, format_money)
    return _view([event for event in found if event.store in mine], get_context().now())


def _view(events: Sequence[Activity], now: int) -> list[EventRow]:
    return [EventRow(event, describe_outcome(event, now)) for event in events]
