"""Turns recorded stories into deliveries: per person and connection, a profile where it changed, then the event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Database

from pipeline.events.happening import Happening, message_id
from pipeline.events.paths import SECOND
from pipeline.fan_out.plan import Concerned
from pipeline.ledger import tables
from pipeline.ledger.deliveries import let_go_first
from pipeline.ledger.deliveries.words import LIVE
from pipeline.record.known import StoreRow, chunks, table_of
from pipeline.record.people import Someone
from pipeline.record.story import Story
from pipeline.record.upsert import upsert

Row = dict[str, Any]


@dataclass(slots=True)
class Mailroom:
    """Makes delivery rows in the order in which things were told. `profiled` grows as profiles are made."""

    profiled: set[tuple[int, int]]
    now: int
    priority: int = LIVE

    def rows(self, stories: Iterable[Story]) -> list[Row]:
        """The deliveries of these stories. People learn on the way, so each profile is of its moment."""
        return [row for story in stories for row in self._of_story(story)]

    def copy(self, story: Story, concerned: Concerned, someone: Someone) -> Iterator[Row]:
        """The deliveries of one event for one person: the profile first."""
        news = someone.learn(concerned.facts, story.happening.received_at)
        if someone.email is None:
            return
        for connection_id, lanes in story.store.connections:
            lane = someone.id % lanes
            if news is not None or (connection_id, someone.id) not in self.profiled:
                self.profiled.add((connection_id, someone.id))
                yield self._profile(story, someone, news or someone.attributes, connection_id, lane)
            if story.forwarded:
                yield self._event(story, concerned, someone, connection_id, lane)

    def _of_story(self, story: Story) -> Iterator[Row]:
        heard: set[int] = set()
        for concerned, someone in story.cast:
            if someone.id not in heard:  # a recipient who turns out to be the buyer hears once
                yield from self.copy(story, concerned, someone)
            heard.add(someone.id)

    def _profile(self, story: Story, someone: Someone, data: Row, connection_id: int, lane: int) -> Row:
        at = someone.known_at // SECOND
        return self._row(story, someone, connection_id, lane) | {
            "kind": "profile",
            "name": None,
            "message_id": None,
            "message": _envelope(someone, at, data),
        }

    def _event(self, story: Story, concerned: Concerned, someone: Someone, connection_id: int, lane: int) -> Row:
        email = concerned.email if concerned.role == "gift_recipient" else None
        happening = story.happening
        return self._row(story, someone, connection_id, lane) | {
            "kind": "event",
            "name": story.row.name,
            "message_id": message_id(story.store.name, happening, happening.key, concerned.role, email),
            "message": _envelope(someone, happening.occurred_at // SECOND, concerned.data),
        }

    def _row(self, story: Story, someone: Someone, connection_id: int, lane: int) -> Row:
        return {
            "store_id": story.store.id,
            "connection_id": connection_id,
            "lane": lane,
            "priority": self.priority,
            "event_id": story.event_id or None,  # what no hook has told is no event
            "person_id": someone.id,
            "status": "pending",
            "attempts": 0,
            "notes": [],
            "created_at": self.now,
        }


def write_deliveries(db: Database, rows: Sequence[Row]) -> None:
    """Put messages into their lanes. Whoever is told live news has what a backfill wrote about them told before it."""
    upsert(db, table_of(tables.Delivery), rows, update=(), on=("connection_id", "message_id"))
    for part in chunks({row["person_id"] for row in rows if row["priority"] == LIVE}):
        let_go_first(db, part)


def event_ulid(store: StoreRow, happening: Happening) -> str:
    """The event's own id: the one its customer's copy carries."""
    return message_id(store.name, happening, happening.key, "customer")


def _envelope(someone: Someone, at: int, data: Row) -> Row:
    return {"customer_id": someone.customer_id, "email": someone.email, "at": at, "data": data}
