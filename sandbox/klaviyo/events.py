"""Takes events: a repeated one of the same profile, metric and id is kept once, and only a new one starts flows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.klaviyo.errors import Refusal, invalid
from sandbox.klaviyo.profiles import Profiles

MAX_EVENT_BYTES = 5_000_000
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
        self.metrics: set[str] = set()
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
        metric = _metric_name(attributes)
        profile, _ = self._profiles.upsert(_profile_attributes(attributes))
        at = _parse_time(attributes.get("time")) or now
        key = str(attributes.get("unique_id") or int(at.timestamp()))
        self.metrics.add(metric)
        if (profile.id, metric, key) in self._known:
            self.duplicates += 1
            return
        self._known.add((profile.id, metric, key))
        named = {"id": key, "name": metric, "at": int(at.timestamp()), "data": attributes["properties"]}
        profile.events.append({**named, "value": attributes.get("value"), "backfill": bool(attributes.get("backfill"))})
        if not attributes.get("backfill"):
            started = {"kind": "event", "person": profile.id, "name": metric}
            self.automations.append({**started, "age_s": round((now - at).total_seconds())})

    def _list_faults(self, attributes: dict[str, Any], now: datetime, pointer: str) -> Iterator[dict[str, Any]]:
        metric = _metric_name(attributes)
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
        value = attributes.get("value")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            yield invalid("Value must be a number.", f"{pointer}/value")
        try:
            self._profiles.check(_profile_attributes(attributes), f"{pointer}/profile/data/attributes")
        except Refusal as refusal:
            yield from refusal.errors


def event_key(attributes: dict[str, Any]) -> tuple[str, str, str]:
    """Return what may be in one bulk call only once: who, metric, id."""
    who = json.dumps(_profile_attributes(attributes), sort_keys=True)
    return who, str(_metric_name(attributes)), str(attributes.get("unique_id") or attributes.get("time"))


def _metric_name(attributes: dict[str, Any]) -> Any:
    return _dig(attributes, "metric", "data", "attributes", "name")


def _profile_attributes(attributes: dict[str, Any]) -> Any:
    found = _dig(attributes, "profile", "data")
    if not isinstance(found, dict):
        return None
    named = {"id": found["id"]} if found.get("id") else {}
    return {**(found.get("attributes") or {}), **named}


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
    return len(properties) <= MAX_KEYS and _is_small(properties, 1) and len(json.dumps(properties)) <= MAX_EVENT_BYTES


def _is_small(value: Any, level: int) -> bool:
    if isinstance(value, str):
        return len(value.encode()) <= MAX_TEXT_BYTES
    if isinstance(value, dict):
        return level <= MAX_LEVELS and all(_is_small(one, level + 1) for one in value.values())
    if isinstance(value, list):
        return level <= MAX_LEVELS and len(value) <= MAX_ITEMS and all(_is_small(one, level + 1) for one in value)
    return True
