"""What hooks hint at for the fulfilment: shipments, orders and subscriptions to look at through the API.

Hooks are not signed. So nothing of them is believed here but the ids, which name what the API is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.fan_out.gifts import find_subjects
from pipeline.recording.candidate import EventCandidate

ShipmentHint = tuple[int, str, int]  # store, kind, number

# Event -> the kinds of its subjects that are looked at. A new order's boxes are found by the next search.
HINTING_EVENTS = {
    "shipment_shipped": ("shipment",),
    "shipment_cancelled": ("shipment",),
    "shipment_address_updated": ("shipment",),
    "order_updated": ("order",),
    "subscription_cancelled": ("subscription",),
}


def find_shipment_hints(candidates: Iterable[EventCandidate]) -> frozenset[ShipmentHint]:
    """What these events hint at, of stores with a warehouse."""
    return frozenset(
        (candidate.store.id, kind, number)
        for candidate in candidates
        if candidate.store.has_warehouse and candidate.row.name in HINTING_EVENTS
        for kind, number in find_subjects(candidate.row, candidate.data)
        if kind in HINTING_EVENTS[candidate.row.name]
    )
