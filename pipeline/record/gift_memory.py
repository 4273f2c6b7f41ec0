"""Remembers which order, subscription and shipment is whose gift: later bodies do not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection as Database

from pipeline.fan_out.gifts import Gift, Memory, Subject, gift_known, links_of, subjects_of
from pipeline.ledger import tables
from pipeline.record.by_keys import rows_by
from pipeline.record.known import table_of
from pipeline.record.story import Story
from pipeline.record.upsert import upsert


class GiftMemory:
    """The gifts of one batch's subjects: what the ledger has, and what the batch's own bodies tell.

    All bodies of a batch are read before any is planned, so a box packed before its order was told finds its
    recipient. Of two addresses for one gift the later told wins.
    """

    def __init__(self, db: Database, stories: Sequence[Story]) -> None:
        self._db = db
        self._gifts: defaultdict[int, dict[Subject, Gift]] = defaultdict(dict)
        self._as_of: dict[tuple[int, Subject], int] = {}
        self._learned: dict[tuple[int, Subject], Gift] = {}
        self._load(stories)
        for story in stories:
            if not story.silent:
                self._learn(story)

    def of(self, store_id: int) -> Memory:
        """What is remembered of one store's gifts."""
        return self._gifts[store_id]

    def learned(self) -> list[tuple[int, Subject]]:
        """Subjects, each of a store, whose recipient was not known, or another, before this batch."""
        return list(self._learned)

    def write(self) -> None:
        """Keep what was learned."""
        rows = [
            {
                "store_id": store_id,
                "kind": subject[0],
                "subject_id": subject[1],
                "email": gift.email,
                "data": {"name": gift.name, "message": gift.message, "giver_first_name": gift.giver_first_name},
                "as_of": self._as_of[store_id, subject],
            }
            for (store_id, subject), gift in self._learned.items()
        ]
        upsert(self._db, table_of(tables.Gift), rows, update=("email", "data", "as_of"))

    def _learn(self, story: Story) -> None:
        gift = gift_known(story.row, story.data, self._gifts[story.store.id])
        if gift is None:
            return
        for subject in links_of(story.row, story.data, gift):
            key, as_of = (story.store.id, subject), story.happening.received_at
            mine = self._gifts[story.store.id].get(subject)
            if mine is None or (as_of > self._as_of[key] and gift.email != mine.email):
                self._gifts[story.store.id][subject] = self._learned[key] = gift
                self._as_of[key] = as_of

    def _load(self, stories: Sequence[Story]) -> None:
        gift = table_of(tables.Gift).c
        wanted = ((story.store.id, *subject) for story in stories for subject in subjects_of(story.row, story.data))
        for row in rows_by(self._db, tuple(gift), (gift.store_id, gift.kind, gift.subject_id), wanted):
            subject = (row.kind, row.subject_id)
            self._gifts[row.store_id][subject] = Gift(row.email, **row.data)
            self._as_of[row.store_id, subject] = row.as_of
