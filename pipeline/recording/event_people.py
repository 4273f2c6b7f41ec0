"""Finds or makes the people that stories concern."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Database

from pipeline.recording.candidate import EventCandidate
from pipeline.recording.people import PersonResolver, build_person_keys


def resolve_people(conn: Database, candidates: Sequence[EventCandidate], now: int) -> PersonResolver:
    """Give every story its cast; whoever is new has a row then."""
    concerned = [(story.store, one) for story in candidates for one in story.people]
    wanted = [key for store, one in concerned for key in build_person_keys(store.id, one)]
    book = PersonResolver(conn, wanted, (store for store, _ in concerned), now)
    for story in candidates:
        found = ((one, book.find(story.store, one)) for one in story.people)
        story.resolved_people = [(one, someone) for one, someone in found if someone is not None]
    book.write_new()
    return book
