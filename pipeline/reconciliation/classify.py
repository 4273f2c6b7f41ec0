"""Judges what a page shows: known, too old, perhaps on its way, or missing. Pure: touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.events.identity import EventIdentity
from pipeline.fan_out.plan import is_test
from pipeline.ledger.observed_events import BEFORE, DAY_US, RECEIVED, WAITING, Observation
from pipeline.reconciliation.evidence import EventEvidence


@dataclass(frozen=True, slots=True)
class PageRules:
    """What holds for one page. Moments and spans in µs.

    since: the store is our concern from then on. asked_at: the page is as of then. first: nobody has read this
    collection to its end before. tests: the store forwards test objects. renewals: it tells of renewals' orders.
    """

    since: int
    asked_at: int
    grace: int
    first: bool
    forwards_tests: bool
    renewals: bool


@dataclass(frozen=True, slots=True)
class IdentifiedEvent:
    """A happening that concerns us."""

    shown: EventEvidence
    happening: EventIdentity
    as_of: int  # what it teaches us holds as of then: newer knowledge stays

    @property
    def key(self) -> str:
        return self.happening.key

    def to_observed(self, state: str, at: int | None = None) -> Observation:
        """How it is remembered; `at`: the moment that says on which day it happened."""
        return Observation(self.key, self.shown.event, (self.as_of if at is None else at) // DAY_US, state)


@dataclass(slots=True)
class Classification:
    """What is to be written down, and what is missing, the oldest first."""

    observed: list[Observation] = field(default_factory=list)
    missing: list[IdentifiedEvent] = field(default_factory=list)


def identify_events(evidence: Iterable[EventEvidence], rules: PageRules) -> list[IdentifiedEvent]:
    """What concerns us: nothing from before, and no test object unless the store forwards them.

    Nobody knows whether Cratejoy sends hooks for test objects, so that none came says nothing.
    """
    found: dict[str, IdentifiedEvent] = {}
    for one in evidence:
        if one.at is not None and one.at < rules.since:
            continue
        if not rules.forwards_tests and is_test(one.row, one.data):
            continue
        as_of = rules.asked_at if one.at is None else min(one.at, rules.asked_at)
        happening = one.happening(as_of)
        if happening is not None:
            found.setdefault(happening.key, IdentifiedEvent(one, happening, as_of))
    return list(found.values())


def classify(
    items: Iterable[IdentifiedEvent],
    rules: PageRules,
    states: Mapping[str, tuple[str, int]],
    known_at: Mapping[str, int],
) -> Classification:
    """`states`: what is remembered of them, and since when. `told`: when the ledger was told of those it has."""
    judged = Classification()
    for item in _iter_unsettled(items, rules, states, known_at):
        if item.key in known_at:
            at = known_at[item.key] if item.shown.at is None else None
            judged.observed.append(item.to_observed(RECEIVED, at))
        elif rules.first and item.shown.at is None and (item.shown.not_before or 0) < rules.since:
            judged.observed.append(item.to_observed(BEFORE))
        elif _is_overdue(item, rules, states):
            judged.missing.append(item)
        elif item.key not in states:
            judged.observed.append(item.to_observed(WAITING))
    judged.missing.sort(key=lambda item: item.as_of)
    return judged


def sends_renewal_orders(items: Iterable[IdentifiedEvent], told: Collection[str]) -> bool:
    """Whether the store has told of a renewal's order as of a new one: Cratejoy does not say whether it does."""
    return any(item.shown.renewal_order and item.key in told for item in items)


def _iter_unsettled(
    items: Iterable[IdentifiedEvent],
    rules: PageRules,
    states: Mapping[str, tuple[str, int]],
    known_at: Mapping[str, int],
) -> Iterator[IdentifiedEvent]:
    """What is not settled yet."""
    for item in items:
        state, _ = states.get(item.key, (WAITING, 0))
        expected = rules.renewals or not item.shown.renewal_order or item.key in known_at
        if state == WAITING and expected:
            yield item


def _is_overdue(item: IdentifiedEvent, rules: PageRules, states: Mapping[str, tuple[str, int]]) -> bool:
    """Whether its hook should have come by now: it happened, or was first seen, long enough ago."""
    latest = rules.asked_at - rules.grace
    _, seen_at = states.get(item.key, (WAITING, rules.asked_at))
    return seen_at <= latest or (item.shown.at is not None and item.shown.at <= latest)
