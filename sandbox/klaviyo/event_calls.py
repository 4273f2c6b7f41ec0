"""The calls that take events: one, or many as a whole."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.klaviyo.account import Account
from sandbox.klaviyo.documents import Json, as_object, read_attributes
from sandbox.klaviyo.errors import Refusal, invalid
from sandbox.klaviyo.events import MAX_METRICS, event_key, metric_name, profile_attributes

MAX_BULK_EVENTS = 1_000
_BULK = "/data/attributes/events-bulk-create"


def create(account: Account, body: bytes) -> tuple[int, Any]:
    """Take an event."""
    attributes, now = read_attributes(body, "event"), account.moment()
    account.events.check(attributes, now, "/data/attributes")
    _take(account, "events", [attributes], now)
    return 202, None


def create_many(account: Account, body: bytes) -> tuple[int, Any]:
    """All or nothing: one bad event, or one that is there twice, and none is taken."""
    attributes = read_attributes(body, "event-bulk-create-job")
    parts = as_object(attributes.get("events-bulk-create"), _BULK).get("data")
    if not isinstance(parts, list) or not parts:
        raise Refusal(400, invalid("Events are required.", _BULK))
    now = account.moment()
    listed = list(_list_events(parts))
    faults = [] if len(listed) <= MAX_BULK_EVENTS else [invalid("More than 1000 events.", _BULK)]
    keys = set()
    for pointer, event in listed:
        try:
            account.events.check(event, now, f"{pointer}/attributes")
        except Refusal as refusal:
            faults += refusal.errors
            continue
        if event_key(event) in keys:
            faults.append(invalid("A unique_id is repeated.", pointer))
        keys.add(event_key(event))
    if len(account.events.metrics | {metric_name(event) for _, event in listed}) > MAX_METRICS and not faults:
        faults.append(invalid("Too many metrics.", _BULK))
    if faults:
        raise Refusal(400, *faults)
    _take(account, "event-bulk-create-jobs", [event for _, event in listed], now)
    return 202, None


def _take(account: Account, path: str, events: list[Json], now: datetime) -> None:
    who = [profile_attributes(event) for event in events]
    ids = [one.get("external_id") or one.get("email") or one.get("id") for one in who]
    names = [metric_name(event) for event in events]
    account.events.metrics.update(names)
    account.note(path, [(person, "event", name) for person, name in zip(ids, names, strict=True)])

    def work() -> None:
        for event in events:
            account.events.take(event, now)

    account.accept(work)


def _list_events(parts: list[Any]) -> Iterator[tuple[str, Json]]:
    """Yield each event of a bulk call with its profile, and its place."""
    for number, part in enumerate(parts):
        place = f"{_BULK}/data/{number}"
        inner = as_object(as_object(part, place).get("attributes"), f"{place}/attributes")
        events = as_object(inner.get("events"), f"{place}/attributes/events").get("data")
        if not isinstance(events, list) or not events:
            raise Refusal(400, invalid("Events are required.", f"{place}/attributes/events"))
        for position, one in enumerate(events):
            pointer = f"{place}/attributes/events/data/{position}"
            event = as_object(as_object(one, pointer).get("attributes"), f"{pointer}/attributes")
            yield pointer, {**event, "profile": inner.get("profile")}
