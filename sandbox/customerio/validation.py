"""What makes the attributes of a profile or an event invalid, and the error texts."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.customerio.http_messages import Json
from sandbox.customerio.limits import (
    ATTRIBUTE_NAME_BYTES,
    ATTRIBUTES,
    EVENT_DATA_BYTES,
    EVENT_NAME_BYTES,
    ID_BYTES,
    is_ulid,
    json_bytes,
    text_fits,
    value_fits,
)
from sandbox.customerio.switches import Switches

# Keys that identify or control; they are no attributes of the person and have no limit of their own.
STEERING_KEYS = frozenset({"_timestamp", "_update", "cio_relationships"})

# A row per problem: the text of Track v1 and that of Track v2. Seen in public bug reports and connectors are
# `other_id`, `long_event_name` and both of `long_value`; the others are ours, because the vendor publishes none.
WORDS: Mapping[str, tuple[str, str]] = {
    "no_object": ("request body must be a JSON object", "item must be a JSON object"),
    "long_id": (f"id cannot be longer than {ID_BYTES} bytes", f"identifier cannot be longer than {ID_BYTES} bytes"),
    "empty_id": ("id cannot be empty", "identifier cannot be empty"),
    "other_id": (
        "id attribute and identifier are not the same value",
        "id attribute and identifier are not the same value",
    ),
    "many_attributes": (
        f"cannot have more than {ATTRIBUTES} attributes",
        f"cannot have more than {ATTRIBUTES} attributes",
    ),
    "long_attribute_name": (
        f"attribute name cannot be longer than {ATTRIBUTE_NAME_BYTES} bytes",
        f"property name cannot be longer than {ATTRIBUTE_NAME_BYTES} bytes",
    ),
    "long_value": (
        "value for attribute '{name}' cannot be longer than 1000 bytes",
        "property value cannot be longer than 1000 bytes",
    ),
    "nested_value": (
        "value for attribute '{name}' must be a string, number or boolean",
        "property value must be a string, number or boolean",
    ),
    "no_attributes": ("attributes must be an object", "attributes must be an object"),
    "no_event_name": ("event name cannot be empty", "event name cannot be empty"),
    "long_event_name": (
        f"event name cannot be longer than {EVENT_NAME_BYTES} bytes",
        f"event name cannot be longer than {EVENT_NAME_BYTES} bytes",
    ),
    "event_type": ("type must be event, page or screen", "action is not known"),
    "no_data": ("data must be an object", "attributes must be an object"),
    "long_data": (
        f"event data cannot be longer than {EVENT_DATA_BYTES} bytes",
        f"event data cannot be longer than {EVENT_DATA_BYTES} bytes",
    ),
    "timestamp": ("timestamp must be an integer", "timestamp must be an integer"),
    "event_id": ("event id must be a valid ULID", "event id must be a valid ULID"),
    "unknown_person": ("person does not exist", "person does not exist"),
    "type": ("type is not known", "type is not known"),
    "action": ("action is not known", "action is not known"),
    "identifiers": ("exactly one identifier is required", "exactly one identifier is required"),
    "long_item": ("item cannot be larger than 32 KB", "item cannot be larger than 32 KB"),
    "no_device": ("device must be an object with a text for {name}", "device must be an object with a text for {name}"),
    "platform": ("platform must be ios or android", "platform must be ios or android"),
    "relationships": (
        "cio_relationships must be a list of objects with identifiers",
        "cio_relationships must be a list of objects with identifiers",
    ),
    "object_identifiers": (
        "identifiers must be object_type_id and object_id, or cio_object_id",
        "identifiers must be object_type_id and object_id, or cio_object_id",
    ),
    "delivery": ("a delivery's id is required", "a delivery's id is required"),
    "metric": ("metric is not known", "metric is not known"),
    "members": ("ids must be a list of 1 to 1000 texts", "ids must be a list of 1 to 1000 texts"),
    "member_kind": ("id_type must be id, email or cio_id", "id_type must be id, email or cio_id"),
    "form": (
        "data must be an object of texts with an email or an id",
        "data must be an object of texts with an email or an id",
    ),
    "spoiled": ("rejected by a fault of the sandbox", "rejected by a fault of the sandbox"),
}


class Problem(NamedTuple):
    """A problem of an item."""

    kind: str
    field: str
    name: str = ""

    def in_v1(self) -> str:
        """Return the words of Track v1."""
        return WORDS[self.kind][0].format(name=self.name)

    def in_v2(self) -> Json:
        """Return the entry of Track v2, without the item's position."""
        return {"reason": "invalid", "field": self.field, "message": WORDS[self.kind][1].format(name=self.name)}


def check_identifier(value: object, field: str) -> Iterator[Problem]:
    """Yield what is wrong with an identifier."""
    text = value if isinstance(value, str) else str(value)
    if not text.strip():
        yield Problem("empty_id", field)
    if not text_fits(text, ID_BYTES):
        yield Problem("long_id", field)


def check_attributes(attributes: object, switches: Switches) -> Iterator[Problem]:
    """Yield what is wrong with a profile's attributes."""
    if not isinstance(attributes, dict):
        yield Problem("no_attributes", "attributes")
        return
    if len(attributes) > ATTRIBUTES and len(attributes.keys() - STEERING_KEYS) > ATTRIBUTES:
        yield Problem("many_attributes", "attributes")
    for name, value in attributes.items():
        if not text_fits(name, ATTRIBUTE_NAME_BYTES):
            yield Problem("long_attribute_name", "attributes", name)
        if name in STEERING_KEYS:
            continue
        if not value_fits(value):
            yield Problem("long_value", f"attributes.{name}", name)
        if switches.nested_attributes == "reject" and isinstance(value, dict | list):
            yield Problem("nested_value", f"attributes.{name}", name)


def check_timestamp(value: object, field: str = "timestamp") -> Iterator[Problem]:
    """Yield a problem unless the value is absent or an integer; milliseconds pass, as they do at the vendor."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        yield Problem("timestamp", field)


def check_event(
    event: Mapping[str, Any], data_field: str, *, may_be_long: bool, switches: Switches
) -> Iterator[Problem]:
    """Yield what is wrong with an event; its data is measured only if the request is long enough to hide too much."""
    name = event.get("name")
    if not isinstance(name, str) or not name.strip():
        yield Problem("no_event_name", "name")
    elif not text_fits(name.strip(), EVENT_NAME_BYTES):
        yield Problem("long_event_name", "name")
    data = event.get(data_field)
    if data is not None and not isinstance(data, dict):
        yield Problem("no_data", data_field)
    elif may_be_long and json_bytes(data) > EVENT_DATA_BYTES:
        yield Problem("long_data", data_field)
    yield from check_timestamp(event.get("timestamp"))
    if switches.event_ids == "strict" and event.get("id") is not None and not is_ulid(str(event["id"])):
        yield Problem("event_id", "id")
