"""The aims of thrift, speed and scale beside what was measured: one table over the figures of all measures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.measures.large_person import ratios

Figures = Mapping[str, Any]  # measure -> its figures, as `make bench` keeps them

_NOT_MEASURED = "not measured"
_RENEWAL_STORES = "250"
_FAST_PACE = 500  # hooks a second


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure and its bound. `find` returns the figure, or None if its measure was left out."""

    measure: str
    unit: str
    bound: float
    find: Callable[[Figures], float | None]
    is_least: bool = False  # the figure should be at least the bound, instead of at most

    def is_met(self, figure: float) -> bool:
        """Whether the figure keeps the bound."""
        return figure >= self.bound if self.is_least else figure <= self.bound


def list_aims(found: Figures) -> Iterator[str]:
    """The table, as lines of Markdown."""
    yield "| measure | aim | measured | met |"
    yield "| --- | --- | --- | --- |"
    for aim in AIMS:
        figure = aim.find(found)
        bound = f"{'at least' if aim.is_least else 'at most'} {aim.bound:g}{aim.unit}"
        if figure is None:
            yield f"| {aim.measure} | {bound} | {_NOT_MEASURED} | |"
        else:
            yield f"| {aim.measure} | {bound} | {figure:.3g}{aim.unit} | {'yes' if aim.is_met(figure) else 'no'} |"


def _of(*path: str) -> Callable[[Figures], float | None]:
    """A figure at a place among the figures."""

    def find(found: Figures) -> float | None:
        value: Any = found
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return None if value is None else float(value)

    return find


def _ratio(name: str, one: str, other: str) -> Callable[[Figures], float | None]:
    """The median ratio of a figure of two systems over the rounds of `delivery`."""

    def find(found: Figures) -> float | None:
        rounds: Mapping[str, Sequence[Figures]] = found.get("delivery", {})
        if one not in rounds or other not in rounds:
            return None
        pairs = zip(rounds[one], rounds[other], strict=True)
        return float(statistics.median(mine[name] / theirs[name] for mine, theirs in pairs))

    return find


def _find_idle_delay(found: Figures) -> float | None:
    delays = found.get("idle", {})
    if not delays:
        return None
    return float(statistics.median(delays["ours"]) / statistics.median(delays["one_task"]))


def _find_fast_pace(found: Figures) -> float | None:
    ratios = (float(row["ratio_p99"]) for row in found.get("paced", ()) if row["per_second"] == _FAST_PACE)
    return next(ratios, None)


def _find_share_that_arrived(found: Figures) -> float | None:
    """A hook that arrived twice counts as one that did not arrive."""
    if not (figures := found.get("small")):
        return None
    return float((figures["arrived"] - 2 * figures["twice"]) / figures["events"])


def _find_cost_of_many_stores(found: Figures) -> float | None:
    costs = found.get("growth", {}).get("cpu_ms_per_hook_by_stores_in_a_batch", {})
    by_stores = {str(stores): rounds for stores, rounds in costs.items()}
    return float(statistics.median(by_stores[_RENEWAL_STORES])) if _RENEWAL_STORES in by_stores else None


def _find_cost_of_many_orders(found: Figures) -> float | None:
    """The worst of both databases, and of hooks that come alone or in a batch."""
    figures = found.get("large_person")
    return max(ratio for ways in ratios(figures).values() for ratio in ways.values()) if figures else None


def _find_gain_of_partitions(found: Figures) -> float | None:
    rates = found.get("partitions", {})
    if not rates:
        return None
    pairs = zip(rates["1"], rates["2"], strict=True)
    return float(statistics.median(two / one for one, two in pairs))


AIMS: tuple[Aim, ...] = (
    Aim("memory at rest, one store (PSS)", " MB", 250, _of("rest", "pss")),
    Aim("2,000 hooks at 60/s within 512 MB: share that arrived, once", "", 1, _find_share_that_arrived, is_least=True),
    Aim("CPU at rest", " % of a core", 2, _of("rest", "cpu")),
    Aim("start to the first acknowledgement", " s", 2, _of("rest", "first_acknowledgement")),
    Aim("start to the first event at the platform", " s", 4, _of("rest", "first_event")),
    Aim("a command that shows something", " s", 0.4, _of("rest", "command")),
    Aim("idle delay, of one late Celery task's", " times", 2, _find_idle_delay),
    Aim("hooks per second, of (d)'s", " times", 1.5, _ratio("per_second", "ours", "node"), is_least=True),
    Aim("hooks per second, of (e)'s", " times", 3, _ratio("per_second", "ours", "node_with_ledger"), is_least=True),
    Aim("hooks per second, of (b)'s", " times", 20, _ratio("per_second", "ours", "textbook"), is_least=True),
    Aim("CPU for a hook, of (d)'s", " times", 0.7, _ratio("cpu_ms", "ours", "node")),
    Aim("CPU for a hook, of (e)'s", " times", 0.35, _ratio("cpu_ms", "ours", "node_with_ledger")),
    Aim("p99 of the acknowledgement at 500/s, of (a)'s", " times", 3, _find_fast_pace),
    Aim("PostgreSQL, of SQLite's rate", " times", 1, _ratio("per_second", "postgresql", "ours"), is_least=True),
    Aim("rate of recording with two partitions, of one's", " times", 1.7, _find_gain_of_partitions, is_least=True),
    Aim("CPU of a hook in a batch about 250 stores", " ms", 2, _find_cost_of_many_stores),
    Aim("disk for an event, SQLite", " bytes", 4_000, _of("disk", "databases", "sqlite", "bytes_per_event")),
    Aim("disk for an event, PostgreSQL", " bytes", 4_000, _of("disk", "databases", "postgresql", "bytes_per_event")),
    Aim("recording for a person with 5,000 orders, of one with 5", " times", 1.2, _find_cost_of_many_orders),
)
