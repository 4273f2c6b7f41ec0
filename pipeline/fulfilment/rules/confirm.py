"""What is written to Cratejoy about a box that has left, and when. Cratejoy mails the customer on `status: shipped`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.core.fulfilment import Package
from pipeline.events.fields import format_time
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.packages import list_tracking_numbers, sort_packages
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.rules.tracking_numbers import normalize_tracking_number
from pipeline.fulfilment.settings import FulfilmentSettings

_SECOND_US = 1_000_000
_MINUTES_PER_HOUR = 60
_OPTIONAL = ("carrier_name", "tracking_link")
# Codes of warehouses -> the names that customers read.
_CARRIER_NAMES = {
    "AMAZON": "Amazon",
    "AUSPOST": "Australia Post",
    "CANADAPOST": "Canada Post",
    "CANADA_POST": "Canada Post",
    "DHL": "DHL",
    "DHLEXPRESS": "DHL Express",
    "DHL_EXPRESS": "DHL Express",
    "FEDEX": "FedEx",
    "FEDERAL EXPRESS": "FedEx",
    "ONTRAC": "OnTrac",
    "ROYALMAIL": "Royal Mail",
    "ROYAL_MAIL": "Royal Mail",
    "UNITED STATES POSTAL SERVICE": "USPS",
    "UPS": "UPS",
    "USPS": "USPS",
}


@dataclass(frozen=True, slots=True)
class Put:
    """The properties of a PUT to the shipment: only those that change, since Cratejoy refuses others."""

    properties: dict[str, str] = field(repr=False)

    def without_optional(self) -> Put | None:
        """Return the same without what Cratejoy may do without, or None if there is nothing of that kind."""
        needed = {name: value for name, value in self.properties.items() if name not in _OPTIONAL}
        return replace(self, properties=needed) if needed != self.properties else None


def plan_confirm(
    shipment: Shipment, packages: Sequence[Package], settings: FulfilmentSettings, now: int, *, is_decided: bool = False
) -> Put | Seen:
    """Return the PUT for a shipment that has just been read, or what was seen instead of a need for one.

    Never marks a box as shipped twice. `is_decided`: a person wants the tracking written whatever Cratejoy shows.
    """
    numbers = list_tracking_numbers(packages)
    if shipment.status == "shipped":
        return _plan_for_shipped(shipment, packages, settings, is_decided=is_decided)
    if shipment.status == "cancelled" and not is_decided:
        return Seen.CANCELLED
    if shipment.status not in {"unshipped", "cancelled"}:
        return Seen.CONFIRM_REJECTED
    if not numbers and not settings.confirm_without_tracking:
        return Seen.CONFIRM_LATER
    left = [package.shipped_at for package in packages if package.shipped_at is not None]
    shipped_at = min([*left, now]) if left else now
    return Put({"status": "shipped", "shipped_at": format_time(shipped_at)} | _describe(packages, settings))


def plan_update(shipment: Shipment, packages: Sequence[Package], settings: FulfilmentSettings) -> Put | None:
    """Return the PUT for a further parcel of a confirmed box, without the status, or None if it changes nothing."""
    wanted = _describe(packages, settings)
    is_same = _split(wanted.get("tracking_number", "")) == _split(shipment.tracking_number)
    return None if is_same or shipment.status != "shipped" else Put(wanted)


def _plan_for_shipped(
    shipment: Shipment, packages: Sequence[Package], settings: FulfilmentSettings, *, is_decided: bool
) -> Put | Seen:
    theirs, ours = _split(shipment.tracking_number), set(list_tracking_numbers(packages))
    if theirs & ours or not ours:
        return Seen.SHIPPED_AS_OURS
    return Seen.OTHER_TRACKING if theirs and not is_decided else Put(_describe(packages, settings))


def _describe(packages: Sequence[Package], settings: FulfilmentSettings) -> dict[str, str]:
    """Return the tracking number with what belongs to it; empty values are left out."""
    numbered = [one for one in sort_packages(packages) if normalize_tracking_number(one.tracking_number)]
    if not numbered:
        return {}
    primary, numbers = numbered[0], list_tracking_numbers(numbered)
    described = {
        "tracking_number": ", ".join(numbers) if settings.multi_tracking == "joined" else numbers[0],
        "carrier_name": name_carrier(primary.carrier),
        "tracking_link": primary.url if primary.url.startswith(("https://", "http://")) else "",
    }
    return {name: value for name, value in described.items() if value}


def name_carrier(code: str) -> str:
    """Return the name of a carrier that customers know; another code as it is, trimmed."""
    trimmed = " ".join(code.split())
    return _CARRIER_NAMES.get(trimmed.upper(), trimmed)


def find_confirm_time(shipped_at: int, settings: FulfilmentSettings) -> int:
    """Return when (µs) Cratejoy may be written to, and so mails the customer: some hours later, or at a time of day.

    With both, the first such time of day after the hours. The zone is the store's.
    """
    earliest = shipped_at + settings.confirm_after_s * _SECOND_US
    if settings.confirm_at_minute is None:
        return earliest
    zone = ZoneInfo(settings.time_zone)
    hour, minute = divmod(settings.confirm_at_minute, _MINUTES_PER_HOUR)
    local = datetime.fromtimestamp(earliest // _SECOND_US, UTC).astimezone(zone)
    days = (local.date() + timedelta(days=number) for number in range(3))
    times = (datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone) for day in days)
    moments = (int(time.timestamp()) * _SECOND_US for time in times)
    return next(moment for moment in moments if moment >= earliest)


def _split(text: str) -> set[str]:
    return {number for part in text.split(",") if (number := normalize_tracking_number(part))}
