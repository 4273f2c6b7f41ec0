"""Compares what two runs say of the same hooks. The caller asks for the contents of messages that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Change = Literal["new", "gone", "changed"]
Line = Mapping[str, Any]

_INDEX = re.compile(r"\.\d+(?=\.|$)")
_ABSENT = object()
_WITHOUT_REQUEST = ("customer_id", "email", "name", "message_id", "at", "data")


class MessageKey(NamedTuple):
    """What makes two messages of two runs the same: their ids are those of two databases."""

    connection: int
    person: str
    kind: str
    receipt: str  # of the event
    number: int  # among those that are the same otherwise


@dataclass(frozen=True, slots=True)
class MessagePair:
    """A message that only one run has written, or that differs. The lines are those of `pipeline.rehearsal.side`."""

    key: MessageKey
    before: Line | None
    after: Line | None

    @property
    def event(self) -> str:
        """The event that it was written for."""
        line: Line = self.before or self.after or {}
        return str(line["event"])


def pair_messages(before: Sequence[Line], after: Sequence[Line]) -> Iterator[MessagePair]:
    """Yield what differs between the messages of two runs, in the order of the first."""
    old, new = _index(before), _index(after)
    for key, line in old.items():
        other = new.get(key)
        if other is None or other["digest"] != line["digest"]:
            yield MessagePair(key, line, other)
    for key, line in new.items():
        if key not in old:
            yield MessagePair(key, None, line)


def _index(lines: Sequence[Line]) -> dict[MessageKey, Line]:
    found: dict[MessageKey, Line] = {}
    for line in lines:
        number = 0
        while (key := _build_key(line, number)) in found:
            number += 1
        found[key] = line
    return found


def _build_key(line: Line, number: int) -> MessageKey:
    return MessageKey(line["connection"], line["person"], line["kind"], line["receipt"], number)


def compare_contents(before: Line, after: Line) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, as (before, after) by path: of the message, or else of its request alone.

    A path does not say which item of a list is meant: `data.items.price` is the price of any of them.
    """
    of_message = _compare(*({name: one[name] for name in _WITHOUT_REQUEST} for one in (before, after)))
    return of_message or _compare(*({"request": one["request"]} for one in (before, after)))


def _compare(before: Line, after: Line) -> dict[str, tuple[Any, Any]]:
    old, new = dict(_flatten(before, "")), dict(_flatten(after, ""))
    differing: dict[str, tuple[Any, Any]] = {}
    for path in sorted(old.keys() | new.keys()):
        values = old.get(path, _ABSENT), new.get(path, _ABSENT)
        if values[0] != values[1] or type(values[0]) is not type(values[1]):
            shown = tuple(None if value is _ABSENT else value for value in values)
            differing.setdefault(_INDEX.sub("", path), (shown[0], shown[1]))
    parents = {path.rpartition(".")[0] for path in differing}  # empty in one run: what is in it says more
    return {path: values for path, values in differing.items() if path not in parents}


def _flatten(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if parts is None or not value:
        yield path, value
        return
    for name, part in parts:
        yield from _flatten(part, f"{path}.{name}" if path else str(name))
