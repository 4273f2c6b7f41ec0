"""The mapping of a connection: which events it gets and under which names, and which attributes of a profile.

Without one a connection gets every event that the store sends, and everything under our own names. The store's switches
come first: an event that the store keeps goes nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.core.messages import Message
from pipeline.events.catalogue import EVENTS

MAX_NAME_CHARACTERS = 100
MAX_ATTRIBUTES = 200
FIXED_ATTRIBUTES = ("email",)  # by which a platform knows the person
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,99}")

Names = Mapping[str, str | None]  # our name -> the name there; None: it is not sent


@dataclass(frozen=True, slots=True)
class ConnectionMapping:
    """What differs from sending all under our names."""

    events: Names = field(default_factory=dict)
    attributes: Names = field(default_factory=dict)

    @property
    def left_out(self) -> frozenset[str]:
        """The events that are not sent."""
        return frozenset(name for name, there in self.events.items() if there is None)


AS_IT_IS = ConnectionMapping()


def apply_mapping(mapping: ConnectionMapping, message: Message) -> Message:
    """Return the message as this connection gets it. Whether an event is sent at all is decided when it is recorded."""
    if message.kind == "event":
        there = mapping.events.get(message.name or "")
        return replace(message, name=there, cratejoy_name=message.name) if there else message
    if message.kind != "profile" or not mapping.attributes:
        return message
    data = {name: value for name, value in message.data.items() if name not in mapping.attributes}
    for name, there in mapping.attributes.items():
        if there is not None and name in message.data:
            data[there] = message.data[name]
    return replace(message, data=data)


def apply_to_all(mapping: ConnectionMapping, messages: Sequence[Message]) -> Sequence[Message]:
    """Return the messages as this connection gets them."""
    return messages if mapping is AS_IT_IS else [apply_mapping(mapping, message) for message in messages]


def parse_mapping(text: str | None) -> ConnectionMapping:
    """Return a mapping from its JSON: {"events": {name: name or null}, "attributes": {…}}; None: as it is.

    Raise Misconfigured, naming every place that is wrong.
    """
    if not text:
        return AS_IT_IS
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Misconfigured(f"the mapping is not JSON: {error}") from None
    if not isinstance(document, dict) or not set(document) <= {"events", "attributes"}:
        raise Misconfigured('a mapping is {"events": {…}, "attributes": {…}}')
    parts = {name: document.get(name, {}) for name in ("events", "attributes")}
    faults = [*_find_faults("events", parts["events"], EVENTS), *_find_attribute_faults(parts["attributes"])]
    if faults:
        raise Misconfigured("; ".join(faults))
    return ConnectionMapping(*(_drop_same(parts[name]) for name in ("events", "attributes")))


def change_mapping(mapping: ConnectionMapping, events: Names, attributes: Names) -> ConnectionMapping:
    """Return the mapping with these names changed; our own name takes a change back. Raise Misconfigured."""
    both = {"events": {**mapping.events, **events}, "attributes": {**mapping.attributes, **attributes}}
    return parse_mapping(json.dumps(both))


def format_mapping(mapping: ConnectionMapping) -> str | None:
    """Return the JSON of a mapping; None for one that changes nothing."""
    if not mapping.events and not mapping.attributes:
        return None
    return json.dumps({"events": dict(mapping.events), "attributes": dict(mapping.attributes)}, sort_keys=True)


def read_left_out(text: str | None) -> frozenset[str]:
    """Return the events that a saved mapping leaves out, without judging it."""
    events = json.loads(text).get("events", {}) if text else {}
    return frozenset(name for name, there in events.items() if there is None)


def _find_attribute_faults(names: Any) -> Iterator[str]:
    yield from _find_faults("attributes", names, None)
    if not isinstance(names, dict):
        return
    if len(names) > MAX_ATTRIBUTES:
        yield f"attributes: more than {MAX_ATTRIBUTES}"
    yield from (f"attributes.{name}: it cannot be changed" for name in FIXED_ATTRIBUTES if name in names)
    yield from (f"attributes.{name}: no attribute has such a name" for name in names if not _ATTRIBUTE.fullmatch(name))
    taken = [there for there in names.values() if there]
    yield from (
        f"attributes: two would be called {one}" for one in sorted({one for one in taken if taken.count(one) > 1})
    )
    yield from (
        f"attributes.{name}: {there} cannot be taken" for name, there in names.items() if there in FIXED_ATTRIBUTES
    )


def _find_faults(place: str, names: Any, known: Collection[str] | None) -> Iterator[str]:
    if not isinstance(names, dict):
        yield f"{place} must be an object"
        return
    for name, there in names.items():
        if known is not None and name not in known:
            yield f"{place}.{name}: Cratejoy has no such event"
        if there is not None and not (isinstance(there, str) and there.strip() and len(there) <= MAX_NAME_CHARACTERS):
            yield f"{place}.{name}: a name has 1 to {MAX_NAME_CHARACTERS} characters, and null leaves it out"


def _drop_same(names: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: there.strip() if there else None for name, there in names.items() if there != name}
