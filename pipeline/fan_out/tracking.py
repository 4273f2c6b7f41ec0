"""Where a parcel can be followed: the link a body gives, or the carrier's public page for its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_PAGES = {
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "ups": "https://www.ups.com/track?tracknum={}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={}",
    "dhl": "https://www.dhl.com/en/express/tracking.html?AWB={}",
}


def tracking_url(shipment: Mapping[str, Any]) -> str | None:
    """A link for the shipment's tracking number, or None if neither body nor carrier gives one."""
    given = shipment.get("tracking_link")
    if isinstance(given, str) and given.startswith(("https://", "http://")):
        return given
    number, carrier = shipment.get("tracking_number"), _carrier(shipment)
    if not number or carrier not in _PAGES:
        return None
    return _PAGES[carrier].format(quote(str(number), safe=""))


def _carrier(shipment: Mapping[str, Any]) -> str:
    labels = [one for one in shipment.get("labels") or () if isinstance(one, dict) and not one.get("is_void")]
    named = shipment.get("carrier_name") or next((one["carrier"] for one in labels if one.get("carrier")), "")
    return str(named).strip().lower()
