"""Finds or makes the people that stories concern."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Database

from pipeline.record.people import PeopleBook, keys_of
from pipeline.record.story import Story


def cast_stories(db: Database, stories: Sequence[Story], now: int) -> PeopleBook:
    """Give every story its cast; whoever is new has a row then."""
    concerned = [(story.store, one) for story in stories for one in story.people]
    wanted = [key for store, one in concerned for key in keys_of(store.id, one)]
    book = PeopleBook(db, wanted, (store for store, _ in concerned), now)
    for story in stories:
        found = ((one, book.find(story.store, one)) for one in story.people)
        story.cast = [(one, someone) for one, someone in found if someone is not None]
    book.write_new()
    return book
