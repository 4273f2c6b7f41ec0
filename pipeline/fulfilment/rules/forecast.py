"""How many boxes of a batch will go, by SKU, variant, gift and country, with the range in which that may still move.

Until a batch ends, customers join and cancel, subscriptions renew or fail to, and held boxes are paid or not: the
numbers of Cratejoy are final only when it has ended. The range is made of the boxes that are known, of what earlier
batches did in the same time before their end, and of chance.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, sqrt
from typing import Literal

from pipeline.core.fulfilment import Order, State
from pipeline.fulfilment.rules.countries import find_country

Certainty = Literal["sent", "paid", "held", "renewal"]

DEVIATIONS = 2.6  # of chance on either side: 99 of 100 counts lie within
_CERTAINTIES: dict[State, Certainty] = {
    State.DISCOVERED: "paid",
    State.READY: "paid",
    State.HELD: "held",
    State.SENDING: "sent",
    State.UNKNOWN: "sent",
    State.AT_WAREHOUSE: "sent",
    State.PARTIALLY_SHIPPED: "sent",
    State.SHIPPED: "sent",
    State.CONFIRMING: "sent",
    State.CONFIRMED: "sent",
    State.CANCEL_REFUSED: "sent",
    State.SHIPPED_AFTER_CANCEL: "sent",
    State.EXTERNALLY_SHIPPED: "sent",
}
_DAY_US = 86_400_000_000
DAYS_BACK = 14  # in which those who joined a batch are counted, where no earlier batch is known
_DEFAULT_LEAVES_PER_DAY = 0.003  # a tenth of the customers a month
_DEFAULT_RENEWS = (0.8, 0.92, 1.0)  # low, likely, high
_UNSEEN_JOINS = 2  # so many more may join in as much time as was watched, where few have
_UNKNOWN_JOINS = (0.4, 1.8)  # how far the joins of the days to come may lie from those of the days before


@dataclass(frozen=True, slots=True)
class ForecastBox:
    """One box that is known, without names and addresses.

    `certainty`: sent: it is at the warehouse, or has left. paid: it goes unless it is cancelled. held: it goes if what
    holds it ends. renewal: a subscription that renews before the batch ends, whose shipment is not there yet.
    """

    lines: tuple[tuple[str, str, int], ...]  # SKU, description with variants, quantity
    country: str
    is_gift: bool = False
    certainty: Certainty = "paid"


@dataclass(frozen=True, slots=True)
class PastBatch:
    """What became of an earlier batch, from as many days before its end as this one has left."""

    days: float
    known: int  # paid boxes at that time
    left: int  # of them, cancelled until the end
    joined: int  # boxes that came in that time, without renewals
    renewals_due: int = 0
    renewed: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How a batch moves. Each triple is low, likely, high."""

    joins_per_day: tuple[float, float, float] = (0.0, 0.0, 0.0)
    leaves_per_day: tuple[float, float, float] = (0.0, _DEFAULT_LEAVES_PER_DAY, 3 * _DEFAULT_LEAVES_PER_DAY)
    renews: tuple[float, float, float] = _DEFAULT_RENEWS


@dataclass(frozen=True, slots=True)
class Range:
    """A count of boxes, or of pieces for SKUs and variants."""

    low: int
    likely: int
    high: int

    def has(self, count: int) -> bool:
        return self.low <= count <= self.high


@dataclass(frozen=True, slots=True)
class Forecast:
    """`by_…`: the groups that are known now, by name. New ones may come only with customers who join."""

    total: Range
    by_sku: dict[str, Range] = field(default_factory=dict)
    by_variant: dict[str, Range] = field(default_factory=dict)
    by_gift: dict[str, Range] = field(default_factory=dict)
    by_country: dict[str, Range] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """Sums of one group, by certainty: of the pieces, and of their squares, which say how far chance can move them."""

    pieces: Counter[str] = field(default_factory=Counter)
    squares: Counter[str] = field(default_factory=Counter)

    def add(self, certainty: Certainty, quantity: int) -> None:
        self.pieces[certainty] += quantity
        self.squares[certainty] += quantity * quantity


def describe_box(order: Order, state: State) -> ForecastBox | None:
    """Return a box of the ledger for a forecast, or None for one that does not go."""
    certainty = _CERTAINTIES.get(state)
    if certainty is None:
        return None
    lines = tuple((line.sku, line.description, line.quantity) for line in order.lines)
    return ForecastBox(lines, find_country(order.ship_to.country) or order.ship_to.country, order.is_gift, certainty)


def estimate_pace(
    past: Sequence[PastBatch], joined_at: Sequence[int], now: int, watched_days: float = DAYS_BACK
) -> Pace:
    """Return how a batch moves: from earlier ones, or from the boxes that joined this one in the last days.

    `joined_at`: when each box of this batch came (µs), without renewals. `watched_days`: for how long they were seen.
    """
    known = [batch for batch in past if batch.days > 0]
    if not known:
        days = max(1.0, min(DAYS_BACK, watched_days))
        recent = sum(now - days * _DAY_US <= time <= now for time in joined_at) / days
        return Pace((recent * _UNKNOWN_JOINS[0], recent, recent * _UNKNOWN_JOINS[1] + _UNSEEN_JOINS / days))
    unseen = _UNSEEN_JOINS / sum(batch.days for batch in known)
    joins = [batch.joined / batch.days for batch in known]
    leaves = [1 - (1 - batch.left / batch.known) ** (1 / batch.days) for batch in known if batch.known]
    renews = [batch.renewed / batch.renewals_due for batch in known if batch.renewals_due]
    low, likely, high = _spread(joins)
    return Pace(
        (low, likely, high + unseen),
        _limit(_spread(leaves)) if leaves else Pace().leaves_per_day,
        _limit(_spread(renews)) if renews else _DEFAULT_RENEWS,
    )


def forecast(boxes: Iterable[ForecastBox], now: int, ends_at: int, pace: Pace) -> Forecast:
    """Return the counts of a batch that ends at `ends_at` (µs). After its end only held boxes may move."""
    days = max(0.0, (ends_at - now) / _DAY_US)
    groups: dict[str, dict[str, _Group]] = defaultdict(lambda: defaultdict(_Group))
    for box in boxes:
        groups["total"][""].add(box.certainty, 1)
        groups["gift"]["gift" if box.is_gift else "no_gift"].add(box.certainty, 1)
        groups["country"][box.country].add(box.certainty, 1)
        for sku, description, quantity in box.lines:
            groups["sku"][sku].add(box.certainty, quantity)
            groups["variant"][description].add(box.certainty, quantity)
    whole = groups["total"].setdefault("", _Group())
    size = sum(whole.pieces.values())

    def count(kind: str) -> dict[str, Range]:
        return {name: _count(group, size, days, pace) for name, group in sorted(groups[kind].items())}

    return Forecast(_count(whole, size, days, pace), count("sku"), count("variant"), count("gift"), count("country"))


def _count(group: _Group, size: int, days: float, pace: Pace) -> Range:
    """Return the range of a group. Those who join are shared out as the known boxes of the batch (`size`) are."""
    pieces = group.pieces
    share = sum(pieces.values()) / size if size else 1.0
    weight = _divide(sum(group.squares.values()), sum(pieces.values()))  # pieces that come and go together
    is_over = days == 0
    lost_high, lost, lost_low = (1 - (1 - rate) ** days for rate in pace.leaves_per_day)
    renews = (0.0, 0.0, 0.0) if is_over else pace.renews
    joins = tuple(rate * days * share for rate in pace.joins_per_day)
    sent = pieces["sent"]
    likely = sent + pieces["paid"] * (1 - lost) + pieces["renewal"] * renews[1] + joins[1] + pieces["held"] / 2
    low = sent + pieces["paid"] * (1 - lost_low) + pieces["renewal"] * renews[0] + joins[0]
    high = sent + pieces["paid"] * (1 - lost_high) + pieces["renewal"] * renews[2] + joins[2] + pieces["held"]
    chance = DEVIATIONS * sqrt(
        group.squares["paid"] * lost * (1 - lost)
        + group.squares["renewal"] * renews[1] * (1 - renews[1])
        + joins[2] * max(weight, 1.0)
    )
    return Range(max(0, floor(low - chance + _ROUNDING)), round(likely), ceil(high + chance - _ROUNDING))


_ROUNDING = 1e-9  # what arithmetic may add to a whole number


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the range of the next value: that of the earlier ones, wider the fewer there are."""
    likely = sum(values) / len(values)
    margin = (max(values) - min(values) + likely) / (len(values) + 1)
    return max(0.0, min(values) - margin), likely, max(values) + margin


def _limit(shares: tuple[float, float, float]) -> tuple[float, float, float]:
    low, likely, high = (min(1.0, share) for share in shares)
    return low, likely, high


def _divide(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
