"""Judges the rows of a returned file: only an exact and new match of one box by its reference may be written.

Matching by anything else, such as an e-mail address or a subscription, has marked boxes as shipped that were months
away. What a person could mean in two ways is left to a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.core.fulfilment import Package, State
from pipeline.core.fulfilment_files import ReturnedRow

Verdict = Literal["match", "already_there", "not_shipped", "ambiguous", "unknown", "unreadable"]

# Where a box is that has been handed out and may be shipped.
_AWAITED = frozenset(
    {State.AT_WAREHOUSE, State.PARTIALLY_SHIPPED, State.CANCEL_REQUESTED, State.CANCEL_REFUSED, State.UNKNOWN}
)
_SHIPPED = frozenset({State.SHIPPED, State.CONFIRMING, State.CONFIRMED, State.EXTERNALLY_SHIPPED})


@dataclass(frozen=True, slots=True)
class KnownBox:
    """A box of the store, as the ledger has it. `was_exported`: its row has been handed out."""

    order_number: str
    state: State
    was_exported: bool
    tracking_numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """What is done with a row: only the packages of a match are written. `reason`: why it is none."""

    number: int
    verdict: Verdict
    reason: str = ""
    order_number: str = ""
    packages: tuple[Package, ...] = ()


def judge_rows(
    rows: Sequence[ReturnedRow], boxes: Mapping[str, KnownBox], owners: Mapping[str, str]
) -> tuple[JudgedRow, ...]:
    """Return a verdict for each row, in their order.

    `boxes`: those of the store by order number, as far as the rows name them. `owners`: which box of the store already
    has a tracking number, by the number.
    """
    numbers_of_box: dict[str, set[frozenset[str]]] = defaultdict(set)
    boxes_of_number: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for order_number in row.order_numbers:
            numbers_of_box[order_number].add(_numbers(row.packages))
            for package in row.packages:
                boxes_of_number[package.tracking_number].add(order_number)
    for number, owner in owners.items():
        boxes_of_number[number].add(owner)
    contested = {number for number, owned in boxes_of_number.items() if len(owned) > 1}
    unclear = {number for number, found in numbers_of_box.items() if len(found - {frozenset()}) > 1}
    seen: set[str] = set()
    judged = []
    for row in rows:
        one = _judge(row, boxes, contested, unclear)
        if one.verdict == "match" and one.order_number in seen:
            one = JudgedRow(row.number, "already_there", "repeated_row", one.order_number)
        seen |= {one.order_number} if one.verdict == "match" else set()
        judged.append(one)
    return tuple(judged)


def count_verdicts(judged: Iterable[JudgedRow]) -> dict[Verdict, int]:
    """Return how many rows have each verdict, for the preview."""
    return dict(Counter(row.verdict for row in judged))


def _judge(row: ReturnedRow, boxes: Mapping[str, KnownBox], contested: set[str], unclear: set[str]) -> JudgedRow:
    if row.fault:
        return JudgedRow(row.number, "unreadable", row.fault, next(iter(row.order_numbers), ""))
    if not row.order_numbers:
        return JudgedRow(row.number, "unknown", "no_reference")
    if len(row.order_numbers) > 1:
        return JudgedRow(row.number, "ambiguous", "several_references")
    order_number = row.order_numbers[0]
    box = boxes.get(order_number)
    if box is None:
        return JudgedRow(row.number, "unknown", "no_such_box", order_number)
    verdict, reason = _compare(row, box, contested, is_unclear=order_number in unclear)
    return JudgedRow(row.number, verdict, reason, order_number, row.packages if verdict == "match" else ())


def _compare(row: ReturnedRow, box: KnownBox, contested: set[str], *, is_unclear: bool) -> tuple[Verdict, str]:
    """Return the verdict about a row that names one box of ours."""
    numbers = _numbers(row.packages)
    rules: tuple[tuple[bool, Verdict, str], ...] = (
        (not numbers, "not_shipped", "no_tracking_number"),
        (bool(numbers & contested), "ambiguous", "number_of_another_box"),
        (numbers <= box.tracking_numbers, "already_there", ""),
        (is_unclear, "ambiguous", "several_numbers"),
        (not box.was_exported, "ambiguous", "not_exported"),
        (box.state in _SHIPPED or bool(box.tracking_numbers), "ambiguous", "has_another_number"),
        (box.state not in _AWAITED, "ambiguous", box.state.value),
    )
    return next(((verdict, reason) for applies, verdict, reason in rules if applies), ("match", ""))


def _numbers(packages: Iterable[Package]) -> frozenset[str]:
    return frozenset(package.tracking_number for package in packages)
