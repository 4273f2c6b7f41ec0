"""One hook while it is being recorded: what it tells, its plan, and the people it turned out to concern."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.events.happening import Happening, happening_of
from pipeline.events.table import EventRow, is_known, row_of
from pipeline.fan_out.gifts import Memory
from pipeline.fan_out.plan import Concerned, Plan, is_test, plan_event
from pipeline.model import RECONCILE, Became, ValidHook, as_of
from pipeline.record.known import StoreRow
from pipeline.record.people import Someone


@dataclass(slots=True)
class Story:
    """A hook that tells something new, in the order in which hooks came."""

    hook: ValidHook
    store: StoreRow
    row: EventRow
    happening: Happening
    plan: Plan | None = None
    cast: list[tuple[Concerned, Someone]] = field(default_factory=list)
    event_id: int = 0
    silent: bool = False  # a test object of a store that wants none of them: recorded, and nothing learned from it

    @property
    def data(self) -> dict[str, Any]:
        """The loaded body."""
        return self.hook["data"]

    @property
    def people(self) -> tuple[Concerned, ...]:
        """Whom it concerns; nobody before it is planned, or when it is silent."""
        return self.plan.people if self.plan else ()

    def planned(self, memory: Memory) -> Plan:
        """Its plan, given what is remembered of gifts."""
        return plan_event(self.row, self.data, self.happening, memory, self.store.name, self.store.currency)

    @property
    def forwarded(self) -> bool:
        """Whether the event itself goes to platforms."""
        if self.hook["source"] == RECONCILE and self.store.record_only:
            return False
        return self.row.forwarded or self.row.name in self.store.forward_also

    @property
    def outcome(self) -> Became:
        """What became of the event, in one word."""
        checks: tuple[tuple[Became, bool], ...] = (
            ("unknown_event", not is_known(self.row.name)),
            ("test", self.silent),
            ("recorded", not self.forwarded),
            ("nobody", not any(someone.email for _, someone in self.cast)),
            ("no_connection", not self.store.connections),
        )
        return next((word for word, holds in checks if holds), "forwarded")


def story_of(hook: ValidHook, store: StoreRow) -> Story:
    """The story a valid hook begins with."""
    row = row_of(hook["event"])
    happening = happening_of(row, hook["data"], hook["fingerprint"], as_of(hook))
    silent = not store.forward_tests and is_test(row, hook["data"])
    return Story(hook, store, row, happening, silent=silent)
