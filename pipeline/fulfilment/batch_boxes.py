"""The boxes of a batch as the rules look at them, without names and addresses; and how earlier batches moved."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.fulfilment import Address, Line, Order
from pipeline.fulfilment.rules.forecast import ForecastBox, PastBatch, describe_box
from pipeline.fulfilment.rules.manifest import Present
from pipeline.ledger.fulfilment.batches import BatchBox, BatchLine

DAY_US = 86_400_000_000


def outline(box: BatchBox) -> Order:
    """The box without whom it goes to."""
    lines = tuple(
        Line(number, line["sku"], "", line.get("description", ""), line["quantity"], ())
        for number, line in enumerate(box.lines, 1)
    )
    return Order(
        box.order_number,
        box.shipment_id,
        "subscription",
        "standard",
        0,
        0,
        "",
        Address("", "", "", box.country or ""),
        lines,
        box.fingerprint or "",
        is_gift=box.is_gift,
    )


def describe(box: BatchBox) -> ForecastBox | None:
    """The box for a forecast; None for one that does not go."""
    return describe_box(outline(box), box.state)


def describe_now(box: BatchBox) -> Present:
    """The box for a comparison with a manifest. What was changed after it was sent is only in its notice."""
    lines = tuple(sorted((line["sku"], line["quantity"]) for line in box.lines))
    fingerprint = "" if box.notice == "address_changed" else box.fingerprint or ""
    return Present(box.order_number, box.state, fingerprint, () if box.notice == "lines_changed" else lines)


def list_renewals(boxes: Sequence[BatchBox], before: Sequence[BatchBox]) -> list[ForecastBox]:
    """What may still renew: subscriptions that had a box in the batch before, and have none in this one."""
    has_box = {box.subscription_id for box in boxes}
    found = []
    for box in before:
        described = describe(box)
        if described is not None and box.subscription_id is not None and box.subscription_id not in has_box:
            found.append(ForecastBox(described.lines, described.country, described.is_gift, "renewal"))
    return found


def measure(batch: BatchLine, boxes: Sequence[BatchBox], before: Sequence[BatchBox], left_us: int) -> PastBatch:
    """What became of an ended batch from so long before its end. `before`: the boxes of the batch that ended before."""
    at = (batch.ends_at or 0) - left_us
    known = [box for box in boxes if box.first_seen_at <= at and (describe(box) or box.state_at > at)]
    late = [box for box in boxes if box.first_seen_at > at and describe(box)]
    had_box = {box.subscription_id for box in before if box.subscription_id is not None and describe(box)}
    due = had_box - {box.subscription_id for box in known}
    renewed = [box for box in late if box.subscription_id in due]
    gone = sum(describe(box) is None for box in known)
    return PastBatch(left_us / DAY_US, len(known), gone, len(late) - len(renewed), len(due), len(renewed))
