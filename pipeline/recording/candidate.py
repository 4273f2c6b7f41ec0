"""One hook while it is being recorded: what it tells, its plan, and the people it turned out to concern."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.core.hooks import RECONCILE, EventOutcome, ValidHook, get_as_of
from pipeline.events.catalogue import EventRow, get_event_row, is_known_event
from pipeline.events.identity import EventIdentity, identify_event
from pipeline.fan_out.gifts import KnownGifts
from pipeline.fan_out.plan import AffectedPerson, Plan, is_test, plan_event
from pipeline.recording.lookups import RecordingStore
from pipeline.recording.people import PersonDraft


@dataclass(slots=True)
class EventCandidate:
    """A hook that tells something new, in the order in which hooks came."""

    hook: ValidHook
    store: RecordingStore
    row: EventRow
    happening: EventIdentity
    plan: Plan | None = None
    resolved_people: list[tuple[AffectedPerson, PersonDraft]] = field(default_factory=list)
    event_id: int = 0
    silent: bool = False  # a test object of a store that wants none of them: recorded, and nothing learned from it

    @property
    def data(self) -> dict[str, Any]:
        """The loaded body."""
        return self.hook["data"]

    @property
    def people(self) -> tuple[AffectedPerson, ...]:
        """Whom it concerns; nobody before it is planned, or when it is silent."""
        return self.plan.people if self.plan else ()

    def build_plan(self, known_gifts: KnownGifts) -> Plan:
        """Its plan, given what is remembered of gifts."""
        return plan_event(self.row, self.data, self.happening, known_gifts, self.store.name, self.store.currency)

    @property
    def forwarded(self) -> bool:
        """Whether the event itself goes to platforms."""
        if self.hook["source"] == RECONCILE and self.store.record_only:
            return False
        return self.row.forwarded or self.row.name in self.store.forward_also

    @property
    def outcome(self) -> EventOutcome:
        """What became of the event, in one word."""
        checks: tuple[tuple[EventOutcome, bool], ...] = (
            ("unknown_event", not is_known_event(self.row.name)),
            ("test", self.silent),
            ("recorded", not self.forwarded),
            ("nobody", not any(someone.email for _, someone in self.resolved_people)),
            ("no_connection", not self.store.connections),
        )
        return next((word for word, holds in checks if holds), "forwarded")


def build_candidate(hook: ValidHook, store: RecordingStore) -> EventCandidate:
    """The story a valid hook begins with."""
    row = get_event_row(hook["event"])
    happening = identify_event(row, hook["data"], hook["fingerprint"], get_as_of(hook))
    silent = not store.forward_tests and is_test(row, hook["data"])
    return EventCandidate(hook, store, row, happening, silent=silent)
