"""Classifies the events that a page shows: known, too old, perhaps still on their way, or missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.events.identity import EventIdentity
from pipeline.fan_out.plan import is_test
from pipeline.ledger.observation import BEFORE, DAY_US, RECEIVED, WAITING, Observation
from pipeline.reconciliation.evidence import EventEvidence


@dataclass(frozen=True, slots=True)
class PageRules:
    """The rules for one page. Times and spans in µs.

    since: earlier events are from before the store was connected. asked_at: when the page was requested. is_first_pass:
    this collection has not been read to its end before. forwards_tests: whether the store forwards test objects.
    sends_renewals: whether the store sends `order_new` for the orders of renewals, too.
    """

    since: int
    asked_at: int
    grace_us: int
    is_first_pass: bool
    forwards_tests: bool
    sends_renewals: bool


@dataclass(frozen=True, slots=True)
class IdentifiedEvent:
    """An event of interest, with its identity."""

    evidence: EventEvidence
    identity: EventIdentity
    as_of: int  # the data holds as of then: newer data in the ledger stays

    @property
    def key(self) -> str:
        return self.identity.key

    def to_observed(self, state: str, at: int | None = None) -> Observation:
        """The row that remembers the event. `at`: the time that says on which day it occurred."""
        return Observation(self.key, self.evidence.event, (self.as_of if at is None else at) // DAY_US, state)


@dataclass(slots=True)
class Classification:
    """What is written as observed, and which events are missing, the oldest first."""

    observed: list[Observation] = field(default_factory=list)
    missing: list[IdentifiedEvent] = field(default_factory=list)


def identify_events(evidence: Iterable[EventEvidence], rules: PageRules) -> list[IdentifiedEvent]:
    """The events of interest: not those before `since`, and those of test objects only if the store forwards them.

    It is not known whether Cratejoy sends hooks for test objects, so their absence means nothing.
    """
    events: dict[str, IdentifiedEvent] = {}
    for shown in evidence:
        if shown.at is not None and shown.at < rules.since:
            continue
        if not rules.forwards_tests and is_test(shown.event_row, shown.data):
            continue
        as_of = rules.asked_at if shown.at is None else min(shown.at, rules.asked_at)
        identity = shown.identify(as_of)
        if identity is not None:
            events.setdefault(identity.key, IdentifiedEvent(shown, identity, as_of))
    return list(events.values())


def classify(
    events: Iterable[IdentifiedEvent],
    rules: PageRules,
    states: Mapping[str, tuple[str, int]],
    known_at: Mapping[str, int],
) -> Classification:
    """Decide what each event is. All mappings have event keys.

    states: the remembered state, and when the event was first observed. known_at: when the event's hook was received.
    """
    result = Classification()
    for event in _iter_unsettled(events, rules, states, known_at):
        if event.key in known_at:
            at = known_at[event.key] if event.evidence.at is None else None
            result.observed.append(event.to_observed(RECEIVED, at))
        elif rules.is_first_pass and event.evidence.at is None and (event.evidence.not_before or 0) < rules.since:
            result.observed.append(event.to_observed(BEFORE))
        elif _is_overdue(event, rules, states):
            result.missing.append(event)
        elif event.key not in states:
            result.observed.append(event.to_observed(WAITING))
    result.missing.sort(key=lambda event: event.as_of)
    return result


def sends_renewal_orders(events: Iterable[IdentifiedEvent], known: Collection[str]) -> bool:
    """Whether a hook has reported the order of a renewal: Cratejoy does not document whether it does."""
    return any(event.evidence.is_renewal_order and event.key in known for event in events)


def _iter_unsettled(
    events: Iterable[IdentifiedEvent],
    rules: PageRules,
    states: Mapping[str, tuple[str, int]],
    known_at: Mapping[str, int],
) -> Iterator[IdentifiedEvent]:
    """The events that have a hook and whose state is not final yet."""
    for event in events:
        state, _ = states.get(event.key, (WAITING, 0))
        is_expected = rules.sends_renewals or not event.evidence.is_renewal_order or event.key in known_at
        if state == WAITING and is_expected:
            yield event


def _is_overdue(event: IdentifiedEvent, rules: PageRules, states: Mapping[str, tuple[str, int]]) -> bool:
    """Whether the hook should have arrived by now: the event occurred, or was first observed, long enough ago."""
    latest = rules.asked_at - rules.grace_us
    _, observed_at = states.get(event.key, (WAITING, rules.asked_at))
    return observed_at <= latest or (event.evidence.at is not None and event.evidence.at <= latest)
