"""Judges what a page shows: known, too old, perhaps on its way, or missing. Pure: touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.events.happening import Happening
from pipeline.fan_out.plan import is_test
from pipeline.ledger.shown import BEFORE, DAY, TOLD, WAITING, Sighting
from pipeline.reconciliation.showing import Shown


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one page. Moments and spans in µs.

    since: the store is our concern from then on. asked_at: the page is as of then. first: nobody has read this
    collection to its end before. tests: the store forwards test objects. renewals: it tells of renewals' orders.
    """

    since: int
    asked_at: int
    grace: int
    first: bool
    tests: bool
    renewals: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A happening that concerns us."""

    shown: Shown
    happening: Happening
    as_of: int  # what it teaches us holds as of then: newer knowledge stays

    @property
    def key(self) -> str:
        return self.happening.key

    def sighting(self, state: str, at: int | None = None) -> Sighting:
        """How it is remembered; `at`: the moment that says on which day it happened."""
        return Sighting(self.key, self.shown.event, (self.as_of if at is None else at) // DAY, state)


@dataclass(slots=True)
class Judged:
    """What is to be written down, and what is missing, the oldest first."""

    sightings: list[Sighting] = field(default_factory=list)
    missing: list[Item] = field(default_factory=list)


def items_of(shown: Iterable[Shown], rules: Rules) -> list[Item]:
    """What concerns us: nothing from before, and no test object unless the store forwards them.

    Nobody knows whether Cratejoy sends hooks for test objects, so that none came says nothing.
    """
    found: dict[str, Item] = {}
    for one in shown:
        if one.at is not None and one.at < rules.since:
            continue
        if not rules.tests and is_test(one.row, one.data):
            continue
        as_of = rules.asked_at if one.at is None else min(one.at, rules.asked_at)
        happening = one.happening(as_of)
        if happening is not None:
            found.setdefault(happening.key, Item(one, happening, as_of))
    return list(found.values())


def judge(
    items: Iterable[Item], rules: Rules, states: Mapping[str, tuple[str, int]], told: Mapping[str, int]
) -> Judged:
    """`states`: what is remembered of them, and since when. `told`: when the ledger was told of those it has."""
    judged = Judged()
    for item in _open(items, rules, states, told):
        if item.key in told:
            at = told[item.key] if item.shown.at is None else None
            judged.sightings.append(item.sighting(TOLD, at))
        elif rules.first and item.shown.at is None and (item.shown.not_before or 0) < rules.since:
            judged.sightings.append(item.sighting(BEFORE))
        elif _is_ripe(item, rules, states):
            judged.missing.append(item)
        elif item.key not in states:
            judged.sightings.append(item.sighting(WAITING))
    judged.missing.sort(key=lambda item: item.as_of)
    return judged


def tells_of_renewals(items: Iterable[Item], told: Collection[str]) -> bool:
    """Whether the store has told of a renewal's order as of a new one: Cratejoy does not say whether it does."""
    return any(item.shown.renewal_order and item.key in told for item in items)


def _open(
    items: Iterable[Item], rules: Rules, states: Mapping[str, tuple[str, int]], told: Mapping[str, int]
) -> Iterator[Item]:
    """What is not settled yet."""
    for item in items:
        state, _ = states.get(item.key, (WAITING, 0))
        expected = rules.renewals or not item.shown.renewal_order or item.key in told
        if state == WAITING and expected:
            yield item


def _is_ripe(item: Item, rules: Rules, states: Mapping[str, tuple[str, int]]) -> bool:
    """Whether its hook should have come by now: it happened, or was first seen, long enough ago."""
    latest = rules.asked_at - rules.grace
    _, seen_at = states.get(item.key, (WAITING, rules.asked_at))
    return seen_at <= latest or (item.shown.at is not None and item.shown.at <= latest)
