"""Remembers which order, subscription and shipment is whose gift, because later bodies do not say.

A recipient may be learned late: hooks arrive out of order, so a shipment can come before the order that says whose
gift it is. Then the gift's earlier events get their recipient's copies now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.core.hooks import build_valid_hook
from pipeline.fan_out.gifts import Gift, KnownGifts, Subject, find_gift, find_gift_subjects, find_subjects
from pipeline.recording.candidate import AroundHook, EventCandidate, build_candidate
from pipeline.recording.snapshot import EarlierEvent, GiftKey, KnownGift, RecordingStore


def find_gift_keys(candidates: Iterable[EventCandidate]) -> list[tuple[int, str, int]]:
    """(store id, kind, id) of all that these candidates touch and that may be a gift."""
    return [
        (candidate.store.id, *subject)
        for candidate in candidates
        for subject in find_subjects(candidate.row, candidate.data)
    ]


class GiftIndex:
    """The gifts that a batch is about: those the ledger knows, and those that the batch's own bodies show.

    All bodies of a batch are read before any is planned, so a box packed before its order was reported finds its
    recipient. Of two addresses for one gift the later one wins.
    """

    def __init__(self, known: Mapping[GiftKey, KnownGift], candidates: Iterable[EventCandidate]) -> None:
        self._gifts: defaultdict[int, dict[Subject, Gift]] = defaultdict(dict)
        self._as_of: dict[GiftKey, int] = {}
        self._learned: dict[GiftKey, Gift] = {}
        for (store_id, subject), stored in known.items():
            self._gifts[store_id][subject] = stored.gift
            self._as_of[store_id, subject] = stored.as_of
        for candidate in candidates:
            if not candidate.is_ignored_test and not candidate.is_suppressed:
                self._add_from(candidate)

    def of(self, store_id: int) -> KnownGifts:
        """The known gifts of one store."""
        return self._gifts[store_id]

    def new_subjects(self) -> list[GiftKey]:
        """Subjects whose recipient was unknown, or another, before this batch."""
        return list(self._learned)

    def build_rows(self) -> list[dict[str, Any]]:
        """The rows of gifts that are new or have changed."""
        return [
            {
                "store_id": store_id,
                "kind": subject[0],
                "subject_id": subject[1],
                "email": gift.email,
                "data": _build_data(gift),
                "as_of": self._as_of[store_id, subject],
            }
            for (store_id, subject), gift in self._learned.items()
        ]

    def _add_from(self, candidate: EventCandidate) -> None:
        store_id, as_of = candidate.store.id, candidate.identity.received_at
        known = self._gifts[store_id]
        gift = find_gift(candidate.row, candidate.data, known)
        if gift is None:
            return
        for subject in find_gift_subjects(candidate.row, candidate.data, gift):
            key, current = (store_id, subject), known.get(subject)
            if current is None or (as_of > self._as_of[key] and gift.email != current.email):
                known[subject] = self._learned[key] = gift
                self._as_of[key] = as_of
            elif gift.source is not None and current.source is None:
                known[subject] = self._learned[key] = replace(current, source=gift.source)


def _build_data(gift: Gift) -> dict[str, Any]:
    """The column `data`. The source only where there is one: the releases before do not know it."""
    data = {"name": gift.name, "message": gift.message, "giver_first_name": gift.giver_first_name}
    return data | ({"source": gift.source} if gift.source is not None else {})


def plan_candidates(candidates: Iterable[EventCandidate], gifts: GiftIndex, around_hook: AroundHook) -> None:
    """Give every candidate that is not silent its plan."""
    for candidate in candidates:
        if not candidate.is_ignored_test and not candidate.is_suppressed:
            with around_hook(candidate.hook):
                candidate.plan = candidate.build_plan(gifts.of(candidate.store.id))


def plan_late_copies(
    events: Iterable[EarlierEvent], stores: Mapping[int, RecordingStore], gifts: GiftIndex
) -> list[EventCandidate]:
    """Candidates of earlier events, each planned for its gift recipient only, in the order of the events."""
    late = (_plan_late_copy(event, stores[event.store_id], gifts) for event in events)
    return sorted((candidate for candidate in late if candidate), key=lambda candidate: candidate.event_id)


def rebuild_candidate(event: EarlierEvent, store: RecordingStore) -> EventCandidate:
    """The candidate of a recorded event, not planned yet."""
    envelope = store.build_envelope(
        event.name, received_at=event.received_at, source=event.source, receipt=event.receipt, entry_id=""
    )
    hook = build_valid_hook(
        envelope,
        event.data,
        form=event.form,
        fingerprint=event.happening.rpartition("#")[2].partition("@")[0],
        decoded_at=event.decoded_at,
        validated_at=event.validated_at,
    )
    candidate = build_candidate(hook, store)
    candidate.event_id, candidate.earlier_outcome, candidate.earlier_notes = event.id, event.outcome, event.notes
    return candidate


def _plan_late_copy(event: EarlierEvent, store: RecordingStore, gifts: GiftIndex) -> EventCandidate | None:
    candidate = rebuild_candidate(event, store)
    if candidate.is_ignored_test:
        return None
    plan = candidate.build_plan(gifts.of(store.id))
    recipients = tuple(person for person in plan.people if person.role == "gift_recipient")
    candidate.plan = replace(plan, people=recipients)
    candidate.giver = next((person for person in plan.people if person.role == "customer"), None)
    return candidate if recipients else None
