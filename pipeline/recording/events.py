"""Builds the rows of events: the event with its notes, and whom it concerned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.hooks import RawBody, Role, ValidHook
from pipeline.fan_out.consent import Verdict
from pipeline.fan_out.plan import AffectedPerson
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.dedup import DedupResult
from pipeline.recording.people import PersonDraft
from pipeline.redaction.body import SUPPRESSED
from pipeline.redaction.raw_body import redact_raw

MAX_FIELD_NOTES = 50  # of one event; a sender can make up any number of fields


@dataclass(frozen=True, slots=True)
class EventDraft:
    """A fresh event that is not written yet: its row without an id, and its raw bytes."""

    candidate: EventCandidate
    row: dict[str, Any]
    body: bytes | None  # None: nothing of it may be stored


@dataclass(frozen=True, slots=True)
class EventPersonDraft:
    """A person whom an event concerned, and why they got no message. Both may have no ids yet."""

    candidate: EventCandidate
    person: PersonDraft
    role: Role
    reason: str | None


def plan_events(dedup: DedupResult, raw_bodies: Mapping[str, RawBody], now: int) -> list[EventDraft]:
    """The rows of fresh events. People must be resolved, and not yet merged with the facts of these events."""
    return [
        EventDraft(
            candidate,
            _build_row(candidate, dedup.repeats_in_batch[candidate.store.id, candidate.identity.key], now),
            _build_body(candidate, raw_bodies.get(candidate.hook["entry_id"])),
        )
        for candidate in dedup.fresh
    ]


def plan_event_people(candidates: Iterable[EventCandidate]) -> list[EventPersonDraft]:
    """Whom each event concerned, once the facts of these events are merged."""
    return [
        EventPersonDraft(
            candidate,
            person,
            affected.role,
            _find_reason(affected, person, verdict),
        )
        for candidate in candidates
        for affected, person, verdict in candidate.judged_people
    ]


def _find_reason(affected: AffectedPerson, person: PersonDraft, verdict: Verdict) -> str | None:
    """Why a person gets no message; None if they get one."""
    if person.email is None and not verdict.hides_address:
        return "email_malformed" if affected.has_malformed_email else "no_email"
    return verdict.reason


def _build_row(candidate: EventCandidate, repeats: int, now: int) -> dict[str, Any]:
    hook, plan = candidate.hook, candidate.plan
    return {
        "store_id": candidate.store.id,
        "name": candidate.row.name,
        "happening": candidate.identity.key,
        "ulid": candidate.ulid,
        "receipt": hook["receipt"],
        "source": hook["source"],
        "subject": candidate.row.subject,
        "subject_id": plan.subject_id if plan else None,
        "form": hook["form"],
        "is_test": plan.is_test if plan else candidate.is_ignored_test,
        "outcome": candidate.outcome,
        "notes": [
            *(plan.notes if plan else ()),
            *_missing_address_notes(candidate),
            *_withheld_notes(candidate),
            *_unreadable_field_notes(hook),
            *_suppression_notes(candidate),
            *_left_out_notes(candidate),
        ],
        "data": hook["data"],
        "unknown": hook["unknown"],
        "duplicates": repeats,
        "occurred_at": candidate.identity.occurred_at,
        "received_at": hook["received_at"],
        "decoded_at": hook["decoded_at"],
        "validated_at": hook["validated_at"],
        "recorded_at": now,
    }


def _unreadable_field_notes(hook: ValidHook) -> list[dict[str, Any]]:
    """The fields that could not be read, and why: never their values."""
    aside = hook.get("aside", {})
    shown = [
        {"code": "field_set_aside", "field": path, "reason": aside[path]} for path in list(aside)[:MAX_FIELD_NOTES]
    ]
    more = len(aside) - len(shown)
    return [*shown, *([{"code": "field_set_aside", "more": more}] if more else [])]


def _missing_address_notes(candidate: EventCandidate) -> list[dict[str, Any]]:
    """Why people whom this event concerns get no message."""
    unresolved = len(candidate.people) - len(candidate.resolved_people)
    notes = [
        {"code": "no_email", "role": affected.role}
        for affected, person in candidate.resolved_people
        if not person.email
    ]
    return [*notes, *([{"code": "customer_missing"}] if unresolved else [])]


def _suppression_notes(candidate: EventCandidate) -> list[dict[str, Any]]:
    """In what way the body named people who were taken out."""
    return [{"code": SUPPRESSED, "part": redaction.part} for redaction in candidate.redactions]


def _left_out_notes(candidate: EventCandidate) -> list[dict[str, Any]]:
    """The connections that get no such event by their mapping."""
    if not candidate.is_forwarded:
        return []
    left_out = [number for number, _ in candidate.store.connections if not candidate.is_sent_over(number)]
    return [{"code": "left_out", "connection": number} for number in left_out]


def _build_body(candidate: EventCandidate, raw: RawBody | None) -> bytes | None:
    if not candidate.redactions:
        return _get_sent_bytes(raw)
    left = b"" if raw is None else redact_raw(raw, candidate.redactions)
    return left or None


def _withheld_notes(candidate: EventCandidate) -> list[dict[str, Any]]:
    return [
        {"code": verdict.reason, "role": affected.role}
        for affected, person, verdict in candidate.judged_people
        if verdict.reason and person.email
    ]


def _get_sent_bytes(raw: RawBody | None) -> bytes:
    """What was sent: the body, or the query string of a GET hook."""
    if raw is None:
        return b""
    body, query = raw
    return body or (query or "").encode()
