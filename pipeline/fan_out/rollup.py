"""Splits the facts of a person who has many: a few are loaded with every hook, the others only counted.

Loaded are the facts that a hook touches, and those that are kept: the best few of each ranking, and every fact of a
kind of which a person has few. All that the attributes and the verdict need of the others are their counts and sums,
which can be added and subtracted, and for each ranking that a loaded fact is better than all of them (`Rest.floors`).
A touched fact may lose its place; so if no kept fact that is not touched is better, all facts are loaded.

Everything here can be computed anew from the facts at any time. A rollup of another version is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.fields import parse_time_s
from pipeline.fan_out.attributes import (
    RENEWAL_FAILED,
    RENEWED,
    Fields,
    get_spent,
    is_active,
    is_bought,
    is_given,
    is_shipped,
    rank_box,
    rank_subscription,
)
from pipeline.fan_out.consent import OWN_KINDS
from pipeline.fan_out.facts import KnownFacts, current_values, newest_time_us
from pipeline.fan_out.rest import ANY_SOURCE, OWN_SOURCE, CountName, Place, Rest

VERSION = 1  # grows with every change of what is counted or ranked
MIN_FACTS = 40  # a person with fewer has no rollup

FactKey = tuple[str, str]  # kind, subject
_GIFT, _SURVEY = "gift_received", "survey"
_COUNTED_KINDS = frozenset({"order", "shipment", "subscription", _GIFT})
_KEPT_OF_EACH_RANKING = 4
# The subscription that renews next is the next to be touched, and then it renews last.
_KEPT = {"subscription.renews": 32}


@dataclass(frozen=True, slots=True)
class Rollup:
    """All facts of a person: which are kept, and what is known of the others."""

    kept: frozenset[FactKey]
    rest: Rest

    def dump(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "kept": sorted(map(list, self.kept)),
            "counts": [[*name, number] for name, number in self.rest.counts.items() if number],
            "floors": {name: [*place.value, place.subject] for name, place in self.rest.floors.items()},
            "newest": self.rest.newest,
        }


def load_rollup(data: Mapping[str, Any]) -> Rollup:
    """The rollup that was stored so."""
    return Rollup(
        frozenset((kind, subject) for kind, subject in data["kept"]),
        Rest(
            {tuple(name): number for *name, number in data["counts"]},
            {name: Place(tuple(value), subject) for name, (*value, subject) in data["floors"].items()},
            data["newest"],
        ),
    )


def list_needed(rollup: Rollup, touched: Iterable[FactKey]) -> frozenset[FactKey]:
    """The keys of the facts to load for a hook that touches these."""
    return rollup.kept.union(*(_list_members(_find_group(key)) for key in touched))


def leave_out(rollup: Rollup, loaded: KnownFacts, touched: Collection[FactKey]) -> Rest | None:
    """The rest, once these facts are loaded: all that `list_needed` has named, and that exist.

    None if all facts must be loaded: what is loaded is too little if the touched ones lose their places.
    """
    if not rollup.kept <= loaded.keys():
        return None  # another program has deleted some
    if not _has_winners(rollup.rest, {key: loaded[key] for key in loaded.keys() - set(touched)}):
        return None
    counts = Counter(rollup.rest.counts)
    counts.subtract(_count({key: fields for key, fields in loaded.items() if key not in rollup.kept}))
    return Rest(counts, rollup.rest.floors, rollup.rest.newest)


def roll_up(loaded: KnownFacts, rest: Rest) -> Rollup:
    """The rollup of the loaded facts and the rest."""
    places = {key: dict(_rank(key, current_values(fields))) for key, fields in loaded.items()}
    kept = _choose_kept(loaded, places, rest.floors)
    counted = {key: fields for key, fields in loaded.items() if key not in kept}
    floors = dict(rest.floors)
    for key in counted:
        for ranking, place in places[key].items():
            if ranking not in floors or place.outranks(floors[ranking]):
                floors[ranking] = place
    counts = Counter(rest.counts)
    counts.update(_count(counted))
    return Rollup(kept, Rest(counts, floors, max(rest.newest, newest_time_us(loaded))))


def _has_winners(rest: Rest, facts: KnownFacts) -> bool:
    """Whether each ranking is led by one of these facts."""
    open_ = dict(rest.floors)
    for key, fields in facts.items():
        for ranking, place in _rank(key, current_values(fields)) if open_ else ():
            if ranking in open_ and place.outranks(open_[ranking]):
                del open_[ranking]
    return not open_


def _choose_kept(
    loaded: KnownFacts, places: Mapping[FactKey, Mapping[str, Place]], floors: Mapping[str, Place]
) -> frozenset[FactKey]:
    ranked: dict[str, list[tuple[Place, FactKey]]] = {}
    for key, found in places.items():
        for ranking, place in found.items():
            if ranking not in floors or place.outranks(floors[ranking]):
                ranked.setdefault(ranking, []).append((place, key))
    kept = {key for key, fields in loaded.items() if not _is_countable(key, fields)}
    for ranking, candidates in ranked.items():
        candidates.sort(key=lambda one: one[0].subject)
        candidates.sort(key=lambda one: one[0].value, reverse=True)
        kept.update(key for _, key in candidates[: _KEPT.get(ranking, _KEPT_OF_EACH_RANKING)])
    groups = {_find_group(key) for key in kept}
    return frozenset(key for key in loaded if _find_group(key) in groups)


def _is_countable(key: FactKey, fields: Mapping[str, Any]) -> bool:
    """Whether the fact can be counted: sums of whole numbers can be subtracted again."""
    kind, _ = key
    return kind in _COUNTED_KINDS and (kind != "order" or isinstance(get_spent(current_values(fields)), int))


def _find_group(key: FactKey) -> FactKey:
    """Facts of one group are kept, or counted, together: the verdict looks at an order and at the gift of the same
    order, the answers to a survey are ranked by its subscription.
    """
    kind, subject = key
    of, _, number = subject.partition(":")
    if kind == _GIFT and of in ("order", "subscription"):
        return of, number
    return ("subscription", subject) if kind == _SURVEY else key


def _list_members(group: FactKey) -> list[FactKey]:
    kind, subject = group
    if kind == "order":
        return [group, (_GIFT, f"order:{subject}")]
    if kind == "subscription":
        return [group, (_GIFT, f"subscription:{subject}"), (_SURVEY, subject)]
    return [group]


def _count(facts: KnownFacts) -> Counter[CountName]:
    """What is counted of these facts, whole groups of them."""
    counts: Counter[CountName] = Counter()
    for (kind, subject), stamped in facts.items():
        fields = current_values(stamped)
        counts.update(dict(_COUNTERS[kind](fields)))
        source = fields.get("source")
        if kind in OWN_KINDS:
            counts[OWN_SOURCE, kind, source] += 1
        if kind in OWN_KINDS and (_GIFT, f"{kind}:{subject}") not in facts:
            counts[ANY_SOURCE, kind, source] += 1
        elif kind == _GIFT:
            counts[ANY_SOURCE, subject.partition(":")[0], source] += 1
    return counts


def _count_order(order: Fields) -> Iterator[tuple[CountName, int]]:
    yield ("order",), 1
    if is_bought(order):
        yield ("order", "bought"), 1
        yield ("order", "spent"), get_spent(order)
    if is_given(order):
        yield ("order", "given"), 1


def _count_shipment(box: Fields) -> Iterator[tuple[CountName, int]]:
    if is_shipped(box):
        yield ("shipment", "shipped"), 1


def _count_subscription(item: Fields) -> Iterator[tuple[CountName, int]]:
    yield ("subscription",), 1
    yield ("subscription", "status", item.get("status")), 1
    yield ("subscription", "renewed"), sum(name.startswith(RENEWED) for name in item)
    yield ("subscription", "failed"), sum(name.startswith(RENEWAL_FAILED) for name in item)
    if item.get("is_gift"):
        yield ("subscription", "given"), 1


def _count_gift(_: Fields) -> Iterator[tuple[CountName, int]]:
    yield ("gift",), 1


_COUNTERS = {
    "order": _count_order,
    "shipment": _count_shipment,
    "subscription": _count_subscription,
    _GIFT: _count_gift,
}


def _rank(key: FactKey, fields: Fields) -> Iterator[tuple[str, Place]]:
    """The rankings in which a fact has a place."""
    kind, subject = key
    for ranking, value in _RANKERS[kind](subject, fields) if kind in _RANKERS else ():
        yield f"{kind}.{ranking}", Place(value, subject)


Ranked = Iterator[tuple[str, tuple[int | str, ...]]]


def _rank_order(_: str, order: Fields) -> Ranked:
    placed = parse_time_s(order.get("placed_at"))
    if placed is not None:
        yield "first", (-placed,)
        if is_bought(order):
            yield "first_bought", (-placed,)
            yield "last_bought", (placed,)


def _rank_shipment(_: str, box: Fields) -> Ranked:
    if is_shipped(box):
        yield "last", rank_box(box)


def _rank_subscription(_: str, item: Fields) -> Ranked:
    yield "newest", rank_subscription(item)
    if (start := parse_time_s(item.get("start_date"))) is not None:
        yield "first", (-start,)
    if (cancelled := parse_time_s(item.get("cancelled_at"))) is not None:
        yield "cancelled_last", (cancelled,)
    if is_active(item):
        yield "newest_active", rank_subscription(item)
        end = parse_time_s(item.get("end_date") or None)
        if item.get("autorenew") and end is not None:
            yield "renews", (-end,)


def _rank_gift(subject: str, gift: Fields) -> Ranked:
    """Givers are ranked by where their gift comes from: the store's rules say which of them may be named."""
    if gift.get("name"):
        yield "name", (str(gift["name"]),)
    if gift.get("giver_first_name"):
        of = "order" if subject.startswith("order:") else "other"
        source = gift.get("source")
        yield f"giver of {of} {'' if source is None else '= '}{source}", (str(gift["giver_first_name"]),)


_RANKERS = {
    "order": _rank_order,
    "shipment": _rank_shipment,
    "subscription": _rank_subscription,
    _GIFT: _rank_gift,
}
