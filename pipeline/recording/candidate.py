"""A valid hook on its way to becoming an event: its identity, its plan, and the people it concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.errors import BadHook
from pipeline.core.hooks import RECONCILE, EventOutcome, FailedHook, ValidHook, build_failed_hook, get_as_of
from pipeline.events.catalogue import EventRow, get_event_row, is_known_event
from pipeline.events.identity import EventIdentity, build_message_id, identify_event
from pipeline.fan_out.consent import FREE, Verdict
from pipeline.fan_out.gifts import KnownGifts
from pipeline.fan_out.omissions import NOTHING_OMITTED, Omissions
from pipeline.fan_out.plan import AffectedPerson, Plan, is_test, plan_event
from pipeline.recording.people import PersonDraft
from pipeline.recording.snapshot import RecordingStore
from pipeline.redaction.body import Redaction

AroundHook = Callable[[ValidHook], AbstractContextManager[None]]  # entered for the work on each single hook


@dataclass(slots=True)
class EventCandidate:
    """A hook of a store that may become an event. `event_id` is 0 until the event is written."""

    hook: ValidHook
    store: RecordingStore
    row: EventRow
    identity: EventIdentity
    plan: Plan | None = None
    resolved_people: list[tuple[AffectedPerson, PersonDraft]] = field(default_factory=list)
    event_id: int = 0
    earlier_outcome: str | None = None  # of an event that is recorded already
    earlier_notes: list[dict[str, Any]] = field(default_factory=list)  # of an event that is recorded already
    is_ignored_test: bool = (
        False  # a test object of a store that forwards none: recorded, but no facts are taken from it
    )
    redactions: tuple[Redaction, ...] = ()  # of suppressed people, who are no longer in `data`

    verdicts: list[Verdict] = field(default_factory=list)  # on each of `resolved_people`, once they are judged
    omissions: Omissions = NOTHING_OMITTED
    giver: AffectedPerson | None = None  # where the plan has only the gift's recipient
    named_gifts: list[tuple[str | None, str | None]] = field(default_factory=list)  # (recipient's address, source)

    @property
    def judged_people(self) -> list[tuple[AffectedPerson, PersonDraft, Verdict]]:
        """The resolved people with their verdicts."""
        verdicts = self.verdicts or [FREE] * len(self.resolved_people)
        return [(*found, verdict) for found, verdict in zip(self.resolved_people, verdicts, strict=True)]

    @property
    def data(self) -> dict[str, Any]:
        """The loaded body."""
        return self.hook["data"]

    @property
    def people(self) -> tuple[AffectedPerson, ...]:
        """The people it affects; empty before it is planned, and if it is an ignored test."""
        return self.plan.people if self.plan else ()

    @property
    def is_suppressed(self) -> bool:
        """Whether nothing is left of the body without suppressed people."""
        return bool(self.redactions) and not self.data

    @property
    def ulid(self) -> str:
        """The event's public id: the message id of its customer's copy."""
        return build_message_id(self.store.name, self.identity, self.identity.key, "customer")

    def build_plan(self, known_gifts: KnownGifts) -> Plan:
        """Its plan, given the known gifts of its store."""
        return plan_event(self.row, self.data, self.identity, known_gifts, self.store.name, self.store.currency)

    @property
    def is_forwarded(self) -> bool:
        """Whether the event itself goes to platforms."""
        if self.hook["source"] == RECONCILE and self.store.record_only:
            return False
        if self.row.name in self.store.not_forwarded:
            return False
        return self.row.forwarded or self.row.name in self.store.forward_also

    def is_sent_over(self, connection_id: int) -> bool:
        """Whether the event itself goes over this connection."""
        return self.is_forwarded and self.row.name not in self.store.left_out.get(connection_id, ())

    @property
    def _is_left_out(self) -> bool:
        """Whether no connection gets such events."""
        connections = self.store.connections
        return bool(connections) and not any(self.is_sent_over(connection_id) for connection_id, _ in connections)

    @property
    def _is_withheld(self) -> bool:
        """Whether all whom it could reach are withheld."""
        return all(verdict.reason for _, person, verdict in self.judged_people if person.email)

    @property
    def outcome(self) -> EventOutcome:
        """What became of the event, in one word."""
        checks: tuple[tuple[EventOutcome, bool], ...] = (
            ("suppressed", self.is_suppressed),
            ("unknown_event", not is_known_event(self.row.name)),
            ("test", self.is_ignored_test),
            ("recorded", not self.is_forwarded or self._is_left_out),
            ("nobody", not any(person.email for _, person in self.resolved_people)),
            ("withheld", self._is_withheld),
            ("no_connection", not self.store.connections),
        )
        return next((word for word, holds in checks if holds), "forwarded")


def build_candidate(hook: ValidHook, store: RecordingStore) -> EventCandidate:
    """The candidate of a valid hook, not planned yet."""
    row = get_event_row(hook["event"])
    identity = identify_event(row, hook["data"], hook["fingerprint"], get_as_of(hook))
    is_ignored_test = not store.forward_tests and is_test(row, hook["data"])
    return EventCandidate(hook, store, row, identity, is_ignored_test=is_ignored_test)


def admit_hooks(
    hooks: Sequence[ValidHook], stores: Mapping[str, RecordingStore], around_hook: AroundHook
) -> tuple[list[EventCandidate], list[FailedHook]]:
    """Make candidates of hooks that came through a valid URL of a known store; the others are refused."""
    candidates: list[EventCandidate] = []
    refused: list[FailedHook] = []
    for hook in hooks:
        store = stores.get(hook["store"])
        if store is None:
            refused.append(build_failed_hook(hook, "fan_out", BadHook("unknown_store")))
        elif not store.accepts(hook["version"], hook["received_at"]):
            refused.append(build_failed_hook(hook, "fan_out", BadHook("token_revoked")))
        else:
            with around_hook(hook):
                candidate = build_candidate(hook, store)
            candidates.append(candidate)
    return candidates, refused
