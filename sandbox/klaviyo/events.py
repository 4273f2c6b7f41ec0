"""Takes events: a repeated one of the same profile, metric and id is kept once, and only a new one starts flows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.klaviyo.errors import Refusal, invalid
from sandbox.klaviyo.profile import IDENTIFIERS
from sandbox.klaviyo.profiles import Profiles, normalise

MAX_TEXT_BYTES = 100_000
MAX_KEYS, MAX_LEVELS, MAX_ITEMS = 400, 10, 4_000
MAX_METRIC_CHARACTERS = 127
MAX_METRICS = 200
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
ONE_YEAR = timedelta(days=366)


class Events:
    """The events of an account, and what they started."""

    def __init__(self, profiles: Profiles) -> None:
        """Keep them with these profiles."""
        self._profiles = profiles
        self._known: set[tuple[str, str, str]] = set()
        self.metrics: set[str] = set()  # of all accepted events
        self.automations: list[dict[str, Any]] = []  # {"kind", "person", "name", "age_s"}
        self.duplicates = 0

    def check(self, attributes: Any, now: datetime, pointer: str) -> None:
        """Refuse what is no event."""
        if not isinstance(attributes, dict):
            raise Refusal(400, invalid("Attributes must be an object.", pointer))
        faults = list(self._list_faults(attributes, now, pointer))
        if faults:
            raise Refusal(400, *faults)

    def take(self, attributes: dict[str, Any], now: datetime) -> None:
        """Keep a checked event."""
        metric = metric_name(attributes)
        profile = self._profiles.take(profile_attributes(attributes))
        at = _parse_time(attributes.get("time")) or now
        key = str(attributes.get("unique_id") or int(at.timestamp()))
        if (profile.id, metric, key) in self._known:
            self.duplicates += 1
            return
        self._known.add((profile.id, metric, key))
        named = {"id": key, "name": metric, "at": int(at.timestamp()), "data": attributes["properties"]}
        profile.events.append({**named, "value": attributes.get("value"), "backfill": bool(attributes.get("backfill"))})
        if not attributes.get("backfill"):
            self.start("event", profile.id, metric, round((now - at).total_seconds()))

    def start(self, kind: str, person: str, name: str, age_s: int) -> None:
        """Note that an automation starts: a flow of an event or of a subscription."""
        self.automations.append({"kind": kind, "person": person, "name": name, "age_s": age_s})

    def move(self, source_id: str, target_id: str) -> None:
        """Know the events of a merged profile as the other's."""
        self._known |= {(target_id, metric, key) for person, metric, key in self._known if person == source_id}

    def _list_faults(self, attributes: dict[str, Any], now: datetime, pointer: str) -> Iterator[dict[str, Any]]:
        metric = metric_name(attributes)
        if not isinstance(metric, str) or not 0 < len(metric) <= MAX_METRIC_CHARACTERS:
            yield invalid("Metric name must have 1 to 127 characters.", f"{pointer}/metric")
        elif metric not in self.metrics and len(self.metrics) >= MAX_METRICS:
            yield invalid("Too many metrics.", f"{pointer}/metric")
        properties = attributes.get("properties")
        if not isinstance(properties, dict):
            yield invalid("Properties are required.", f"{pointer}/properties")
        elif not _fits(properties):
            yield invalid("Properties are over a limit.", f"{pointer}/properties")
        if attributes.get("time") is not None and not _is_in_range(attributes["time"], now):
            yield invalid("Invalid time.", f"{pointer}/time")
        yield from _list_wrong_types(attributes, pointer)
        try:
            self._profiles.check(profile_attributes(attributes), f"{pointer}/profile/data/attributes")
        except Refusal as refusal:
            yield from refusal.errors


def event_key(attributes: dict[str, Any]) -> tuple[str, str, str]:
    """Return what may be in one bulk call only once: who, metric, id."""
    found = profile_attributes(attributes)
    who = json.dumps([normalise(kind, found.get(kind)) for kind in IDENTIFIERS])
    at = _parse_time(attributes.get("time"))
    second = "" if at is None else str(int(at.timestamp()))
    return who, str(metric_name(attributes)), str(attributes.get("unique_id") or second)


def metric_name(attributes: dict[str, Any]) -> Any:
    """Return the name of an event's metric."""
    return _dig(attributes, "metric", "data", "attributes", "name")


def profile_attributes(attributes: dict[str, Any]) -> Any:
    """Return the attributes of an event's profile with its `id`, or None."""
    found = _dig(attributes, "profile", "data")
    if not isinstance(found, dict):
        return None
    named = {"id": found["id"]} if found.get("id") else {}
    attributes = found.get("attributes") or {}
    return {**attributes, **named} if isinstance(attributes, dict) else None


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _parse_time(value: Any) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _is_in_range(at: Any, now: datetime) -> bool:
    parsed = _parse_time(at)
    return parsed is not None and EARLIEST <= parsed <= now + ONE_YEAR


def _fits(properties: dict[str, Any]) -> bool:
    return len(properties) <= MAX_KEYS and _is_small(properties, 1)


def _is_small(value: Any, level: int) -> bool:
    if isinstance(value, str):
        return len(value.encode()) <= MAX_TEXT_BYTES
    if isinstance(value, dict):
        return level <= MAX_LEVELS and all(_is_small(one, level + 1) for one in value.values())
    if isinstance(value, list):
        return level <= MAX_LEVELS and len(value) <= MAX_ITEMS and all(_is_small(one, level + 1) for one in value)
    return True


def _list_wrong_types(attributes: dict[str, Any], pointer: str) -> Iterator[dict[str, Any]]:
    backfill = attributes.get("backfill")
    if backfill is not None and not isinstance(backfill, bool):
        yield invalid("Backfill must be true or false.", f"{pointer}/backfill")
    unique_id = attributes.get("unique_id")
    if unique_id is not None and not isinstance(unique_id, str):
        yield invalid("A unique_id must be a text.", f"{pointer}/unique_id")
    value = attributes.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield invalid("Value must be a number.", f"{pointer}/value")
