"""Remembers which order, subscription and shipment is whose gift: later bodies do not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection as Database

from pipeline.fan_out.gifts import Gift, KnownGifts, Subject, find_gift, find_gift_subjects, find_subjects
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk_upsert import upsert
from pipeline.ledger.sql.keyed import select_by_keys
from pipeline.ledger.sql.tables import get_table
from pipeline.recording.candidate import EventCandidate


class GiftIndex:
    """The gifts of one batch's subjects: what the ledger has, and what the batch's own bodies tell.

    All bodies of a batch are read before any is planned, so a box packed before its order was told finds its
    recipient. Of two addresses for one gift the later told wins.
    """

    def __init__(self, conn: Database, candidates: Sequence[EventCandidate]) -> None:
        self._db = conn
        self._gifts: defaultdict[int, dict[Subject, Gift]] = defaultdict(dict)
        self._as_of: dict[tuple[int, Subject], int] = {}
        self._learned: dict[tuple[int, Subject], Gift] = {}
        self._load(candidates)
        for story in candidates:
            if not story.silent:
                self._add_from(story)

    def of(self, store_id: int) -> KnownGifts:
        """What is remembered of one store's gifts."""
        return self._gifts[store_id]

    def new_subjects(self) -> list[tuple[int, Subject]]:
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
        upsert(self._db, get_table(core.Gift), rows, update_columns=("email", "data", "as_of"))

    def _add_from(self, candidate: EventCandidate) -> None:
        gift = find_gift(candidate.row, candidate.data, self._gifts[candidate.store.id])
        if gift is None:
            return
        for subject in find_gift_subjects(candidate.row, candidate.data, gift):
            key, as_of = (candidate.store.id, subject), candidate.happening.received_at
            mine = self._gifts[candidate.store.id].get(subject)
            if mine is None or (as_of > self._as_of[key] and gift.email != mine.email):
                self._gifts[candidate.store.id][subject] = self._learned[key] = gift
                self._as_of[key] = as_of

    def _load(self, candidates: Sequence[EventCandidate]) -> None:
        gift = get_table(core.Gift).c
        wanted = (
            (story.store.id, *subject) for story in candidates for subject in find_subjects(story.row, story.data)
        )
        for row in select_by_keys(self._db, tuple(gift), (gift.store_id, gift.kind, gift.subject_id), wanted):
            subject = (row.kind, row.subject_id)
            self._gifts[row.store_id][subject] = Gift(row.email, **row.data)
            self._as_of[row.store_id, subject] = row.as_of
