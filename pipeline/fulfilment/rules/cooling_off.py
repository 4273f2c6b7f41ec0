"""How long a new payment is waited for: Cratejoy may refund and cancel shortly after a sign-up or a renewal."""

from __future__ import annotations

from pipeline.core.fulfilment import BillingType
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.settings import FulfilmentSettings

SECOND_US = 1_000_000


def find_cooling_off_end(
    shipment: Shipment, billing_type: BillingType, settings: FulfilmentSettings, first_seen_at: int
) -> int | None:
    """Return until when (µs) the box stays here, or None if nothing is to be waited for.

    One-off orders go as soon as they are paid. Where no time of the payment is shown, the shipment's creation counts,
    and else when it was first seen: the wait is rather too long than too short. A list shows no times at all, so from
    one nothing is said; the reading by id comes before the sending.
    """
    if billing_type == "ecom" or not shipment.is_whole:
        return None
    fallback = shipment.created_at if shipment.created_at is not None else first_seen_at
    ends = [
        (order.placed_at if order.placed_at is not None else fallback)
        + (settings.cooling_off_renewal_s if order.is_renewal else settings.cooling_off_signup_s) * SECOND_US
        for order in shipment.orders
    ]
    return max(ends, default=None)
