"""Checks for what the sandbox accepts as documented but does not store: devices, objects, relationships, metrics."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.customerio.http_messages import Json
from sandbox.customerio.validation import Problem, check_timestamp

PLATFORMS = ("ios", "android")
PUSH_EVENTS = ("opened", "converted", "delivered")
METRICS = ("bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "sent", "spammed")
SEGMENT_MEMBERS = 1000
MEMBER_KINDS = ("id", "email", "cio_id")
OBJECT_KEYS = ({"object_type_id", "object_id"}, {"cio_object_id"})

Check = Callable[[Json], Iterator[Problem]]


def is_word(value: Any) -> bool:
    """Return whether a value is a text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def check_device(device: Any, key: str, *, needs_platform: bool) -> Iterator[Problem]:
    """Yield what is wrong with a device; Track v1 calls its token `id`, Track v2 `token`."""
    if not isinstance(device, dict) or not is_word(device.get(key)):
        yield Problem("no_device", f"device.{key}", key)
        return
    if needs_platform and device.get("platform") not in PLATFORMS:
        yield Problem("platform", "device.platform")
    yield from check_timestamp(device.get("last_used"), "device.last_used")


def check_relationships(item: Json) -> Iterator[Problem]:
    """Yield a problem unless the relationships are a list of objects with identifiers."""
    relationships = item.get("cio_relationships")
    if not isinstance(relationships, list) or not all(_has_identifiers(relationship) for relationship in relationships):
        yield Problem("relationships", "cio_relationships")


def _has_identifiers(relationship: Any) -> bool:
    return isinstance(relationship, dict) and isinstance(relationship.get("identifiers"), dict)


def check_object(item: Json) -> Iterator[Problem]:
    """Yield what is wrong with an operation on an object."""
    identifiers = item.get("identifiers")
    if not isinstance(identifiers, dict) or identifiers.keys() not in OBJECT_KEYS or not all(identifiers.values()):
        yield Problem("object_identifiers", "identifiers")
    action = item.get("action")
    if action not in ("identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"):
        yield Problem("action", "action")
    elif action in ("add_relationships", "delete_relationships"):
        yield from check_relationships(item)
    elif not isinstance(item.get("attributes") or {}, dict):
        yield Problem("no_attributes", "attributes")


def check_delivery(item: Json) -> Iterator[Problem]:
    """Yield what is wrong with a metric of a delivery, in the shape of Track v2."""
    if item.get("action") != "event":
        yield Problem("action", "action")
    if not isinstance(item.get("identifiers"), dict) or not is_word(item["identifiers"].get("id")):
        yield Problem("delivery", "identifiers.id")
    if item.get("name") not in PUSH_EVENTS:
        yield Problem("metric", "name")
    if not isinstance(item.get("attributes"), dict) or not is_word(item["attributes"].get("device_token")):
        yield Problem("no_device", "attributes.device_token", "device_token")


def check_push_event(body: Json) -> Iterator[Problem]:
    """Yield what is wrong with a push event of Track v1; every field may be missing."""
    if body.get("event", "opened") not in PUSH_EVENTS:
        yield Problem("metric", "event")
    yield from check_timestamp(body.get("timestamp"))


def check_metric(body: Json) -> Iterator[Problem]:
    """Yield what is wrong with a metric of Track v1."""
    if not is_word(body.get("delivery_id")):
        yield Problem("delivery", "delivery_id")
    if body.get("metric") not in METRICS:
        yield Problem("metric", "metric")
    yield from check_timestamp(body.get("timestamp"))


def check_members(body: Json) -> Iterator[Problem]:
    """Yield a problem unless there are between one and a thousand ids."""
    ids = body.get("ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= SEGMENT_MEMBERS or not all(map(is_word, ids)):
        yield Problem("members", "ids")


def check_form(body: Json) -> Iterator[Problem]:
    """Yield a problem unless the form names its person and has texts for values."""
    data = body.get("data")
    if not isinstance(data, dict) or not (data.get("email") or data.get("id")) or not all(map(_is_text, data.values())):
        yield Problem("form", "data")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


PERSON_CHECKS: Mapping[str, Check] = {
    "add_device": lambda item: check_device(item.get("device"), "token", needs_platform=True),
    "delete_device": lambda item: check_device(item.get("device"), "token", needs_platform=False),
    "add_relationships": check_relationships,
    "delete_relationships": check_relationships,
}
OTHER_CHECKS: Mapping[str, Check] = {"object": check_object, "delivery": check_delivery}
