"""Plans what is asked of a store's API because its hooks lack it: once for each subscription, order or shipment.

Nothing waits for an answer. What is found becomes facts, profiles and late copies in the usual way
(`pipeline.lookups`). Test objects are not looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.events.notes import RECIPIENT_ASKED, RECIPIENT_FOUND, RECIPIENT_NOT_FOUND
from pipeline.fan_out.boxes import read_variants
from pipeline.recording.candidate import EventCandidate

SURVEY, VARIANTS = "survey", "variants"
GIFT_KINDS = {"order": "order_gift", "subscription": "subscription_gift", "shipment": "shipment_gift"}
WAITING, FOUND, NOTHING, FAILED = "waiting", "found", "nothing", "failed"

LookupKey = tuple[int, str, int]  # store id, kind, id of the subject

_LIVE_STATUSES = ("active", "renewing", "pending_renewal", "past_due")
RECIPIENT_IS_BUYER = "recipient_is_buyer"
_SEARCHES = (RECIPIENT_ASKED, RECIPIENT_NOT_FOUND)
_NO_ADDRESS = ("recipient_email_missing", "recipient_email_malformed")


@dataclass(frozen=True, slots=True)
class KnownLookup:
    """A look-up in the ledger."""

    state: str
    about: int | None


@dataclass(frozen=True, slots=True)
class LookupDraft:
    """A look-up that an event asks for. `about`: the product instance whose variants are wanted, if it is known."""

    key: LookupKey
    about: int | None = None
    candidate: EventCandidate | None = None  # the event of a gift, which gets a note

    def is_covered_by(self, known: KnownLookup | None) -> bool:
        """Whether it was asked before. Another product instance has other variants, so it is asked again."""
        return known is not None and (self.about is None or self.about == known.about)


def find_lookups(candidates: Iterable[EventCandidate]) -> list[LookupDraft]:
    """What these events lack and the API may know, whether it was asked before or not."""
    found: list[LookupDraft] = []
    for candidate in candidates:
        if candidate.store.has_api and candidate.plan is not None and not candidate.plan.is_test:
            found += [*_find_of_subscription(candidate), *_find_of_gift(candidate)]
    return found


def plan_lookups(
    drafts: Iterable[LookupDraft], known: Mapping[LookupKey, KnownLookup], now: int, *, is_live: bool = True
) -> list[dict[str, Any]]:
    """The rows of new look-ups. Events about a gift get a note that says whether its recipient is being asked for."""
    rows: dict[LookupKey, dict[str, Any]] = {}
    for draft in drafts:
        earlier = known.get(draft.key)
        if draft.candidate is not None and draft.candidate.plan is not None:
            code = RECIPIENT_NOT_FOUND if earlier and earlier.state in (NOTHING, FAILED) else RECIPIENT_ASKED
            plan = draft.candidate.plan
            draft.candidate.plan = replace(plan, notes=(*plan.notes, {"code": code}))
        if not draft.is_covered_by(earlier):
            rows[draft.key] = _build_row(draft, now, is_live=is_live)
    return list(rows.values())


def plan_found_notes(late: Iterable[EventCandidate]) -> dict[int, list[dict[str, Any]]]:
    """The notes of earlier events whose recipient gets a copy now, where a search for them was noted."""
    found = {
        candidate.event_id: settle_search(
            candidate.earlier_notes, RECIPIENT_FOUND if candidate.resolved_people else RECIPIENT_IS_BUYER
        )
        for candidate in late
    }
    return {event_id: notes for event_id, notes in found.items() if notes is not None}


def settle_search(notes: Sequence[dict[str, Any]], code: str) -> list[dict[str, Any]] | None:
    """The notes of an event that say what became of the search for its recipient; None if there was none."""
    settled = [{"code": code} if note.get("code") in _SEARCHES else note for note in notes]
    return settled if settled != list(notes) else None


def build_trail(kind: str, subject_id: int) -> dict[str, Any]:
    """Where the search for a gift's recipient starts: at the gift itself."""
    subject = next((name for name, of in GIFT_KINDS.items() if of == kind), None)
    return {} if subject is None else {"asked": [], "next": [[subject, subject_id]]}


def _build_row(draft: LookupDraft, now: int, *, is_live: bool) -> dict[str, Any]:
    store_id, kind, subject_id = draft.key
    return {
        "store_id": store_id,
        "kind": kind,
        "subject_id": subject_id,
        "about": draft.about,
        "is_live": is_live,
        "state": WAITING,
        "trail": build_trail(kind, subject_id),
        "attempts": 0,
        "created_at": now,
        "next_attempt_at": now,
        "asked_at": None,
        "reason": None,
    }


def _find_of_subscription(candidate: EventCandidate) -> Iterator[LookupDraft]:
    """Surveys are in no hook that was ever seen; variants may be missing."""
    data, number = candidate.data, candidate.data.get("id")
    is_new = candidate.row.name == "subscription_new"
    if candidate.row.subject != "subscription" or not isinstance(number, int):
        return
    if not is_new and data.get("status") not in _LIVE_STATUSES:
        return
    yield LookupDraft((candidate.store.id, SURVEY, number))
    instance = data.get("product_instance")
    if read_variants(instance) is None:
        about = instance.get("id") if isinstance(instance, dict) else None
        yield LookupDraft((candidate.store.id, VARIANTS, number), about if isinstance(about, int) else None)


def _find_of_gift(candidate: EventCandidate) -> Iterator[LookupDraft]:
    """A gift whose recipient has no usable address. All boxes of a subscription are one gift."""
    plan = candidate.plan
    if plan is None or not candidate.row.gift_copy or not any(note["code"] in _NO_ADDRESS for note in plan.notes):
        return
    kinds = [(kind, number) for kind, number in plan.subjects if kind != "shipment"] or list(plan.subjects)
    own = [(kind, number) for kind, number in plan.subjects if kind == candidate.row.subject and kind != "shipment"]
    for kind, number in (own or kinds)[:1]:
        yield LookupDraft((candidate.store.id, GIFT_KINDS[kind], number), candidate=candidate)
