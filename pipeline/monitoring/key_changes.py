"""Which keys the bodies of an event have, and what changes: a new key, one that has vanished, one of another type.

A key is new if no schema names it and no body had it while the event was learned. A documented key that comes rarely is
not. A key has vanished if it was in nine of ten bodies, or more, and is missing so often in a row that chance does it
once in a thousand million times. A key is counted only where the object around it is there, so that an address that is
missing is one key, not ten. A key of another type is one whose values had other types until now; null is of any type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ChangeKind = Literal["new_key", "vanished_key", "retyped_key"]

DAY_US = 86_400_000_000
LEARNING_US = 30 * DAY_US  # of an event: what is seen in this time is how it is
MIN_BODIES = 50  # that had the object around a key before anything is said about the key
MIN_SHARE = 0.9  # of these bodies that had a key that can vanish
MIN_EVIDENCE = math.log(1e9)  # of chance, before a key counts as vanished
MIN_MISSING = 3  # bodies in a row without it
MIN_MISSING_US = DAY_US  # for keys that were missing before: one batch may lack what others have
MAX_KEYS = 500  # of one event; no further ones are learned
MAX_DEPTH = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,47}")  # of a key; others may be data, or name a person
_OTHER = "*"
_TYPES: Mapping[type, str] = {bool: "bool", int: "number", float: "number", str: "text", dict: "object", list: "list"}


@dataclass(slots=True)
class KnownKey:
    """What is known of a key: how many bodies had it and lacked it, how many lacked it in a row and since when (µs)."""

    present: int = 0
    absent: int = 0
    missing: int = 0
    missing_since: int = 0
    types: set[str] = field(default_factory=set)
    has_vanished: bool = False

    def to_json(self) -> list[Any]:
        """As it is stored."""
        return [self.present, self.absent, self.missing, self.missing_since, sorted(self.types), self.has_vanished]

    @classmethod
    def from_json(cls, stored: list[Any]) -> KnownKey:
        present, absent, missing, since, types, has_vanished = stored
        return cls(present, absent, missing, since, set(types), has_vanished)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change, and the event that showed it first. `was`, `now`: the types of the values."""

    kind: ChangeKind
    key: str
    event_id: int
    at: int
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class SeenBody:
    """A body that came: its event, when it came (µs), what is in it, and the keys that no schema names."""

    event_id: int
    at: int
    body: Mapping[str, Any] = field(repr=False)
    unknown: Collection[str] = ()


@dataclass(slots=True)
class EventKeys:
    """The known keys of one event of one store. `since`: when the first body was seen (µs); `bodies`: how many were.

    `returned`: keys that had vanished and have come again.
    """

    since: int
    bodies: int = 0
    keys: dict[str, KnownKey] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)

    def learn(self, seen: SeenBody) -> list[KeyChange]:
        """Take in a body; return what it changes. While the event is learned nothing is a change."""
        found, objects = describe_keys(seen.body)
        is_learned = seen.at >= self.since + LEARNING_US and self.bodies >= MIN_BODIES
        changes = [*self._note_present(seen, found)]
        changes += self._note_missing(seen, found, objects)
        self.bodies += 1
        return changes if is_learned else []

    def _note_present(self, seen: SeenBody, found: Mapping[str, set[str]]) -> Iterator[KeyChange]:
        for path, types in found.items():
            known = self.keys.get(path)
            if known is None:
                if len(self.keys) >= MAX_KEYS:
                    continue
                around = self._count_around(path)
                if around >= MIN_BODIES and path in map(strip_indexes, seen.unknown):
                    yield KeyChange("new_key", path, seen.event_id, seen.at, now=_join(types))
                known = self.keys[path] = KnownKey(absent=around)
            if not types <= known.types:
                if known.types and known.present >= MIN_BODIES:
                    new = types - known.types
                    yield KeyChange("retyped_key", path, seen.event_id, seen.at, _join(known.types), _join(new))
                known.types |= types
            known.present += 1
            if known.missing:
                self._note_return(path, known)

    def _note_return(self, path: str, known: KnownKey) -> None:
        if known.has_vanished:
            self.returned.add(path)
        known.absent += known.missing
        known.missing, known.missing_since, known.has_vanished = 0, 0, False

    def _note_missing(
        self, seen: SeenBody, found: Mapping[str, set[str]], objects: Collection[str]
    ) -> Iterator[KeyChange]:
        for path in self.keys.keys() - found.keys():
            if path.rpartition(".")[0] not in objects:
                continue
            known = self.keys[path]
            known.missing += 1
            known.missing_since = known.missing_since or seen.at
            if not known.has_vanished and _has_vanished(known, seen.at):
                known.has_vanished = True
                yield KeyChange("vanished_key", path, seen.event_id, seen.at, was=_join(known.types))

    def _count_around(self, path: str) -> int:
        """How many bodies had the object around a key."""
        parent = path.rpartition(".")[0]
        return self.keys[parent].present if parent in self.keys else (self.bodies if not parent else 0)


def describe_keys(body: Mapping[str, Any]) -> tuple[dict[str, set[str]], set[str]]:
    """The keys of a body by path, with the types of their values; and the paths of its objects. No indexes of lists."""
    found: dict[str, set[str]] = {}
    objects: set[str] = set()
    level: list[tuple[str, Any]] = [("", dict(body))]
    for _ in range(MAX_DEPTH):
        below: list[tuple[str, Any]] = []
        for path, value in level:
            if isinstance(value, dict):
                objects.add(path)
                below += _describe_object(path, value, found)
            else:
                below += [(path, inner) for inner in value[:_MAX_ITEMS] if isinstance(inner, (dict, list))]
        level = below
        if len(found) > MAX_KEYS:
            break
    return found, objects


def _describe_object(path: str, value: dict[str, Any], found: dict[str, set[str]]) -> Iterator[tuple[str, Any]]:
    """Add the keys of an object to what was found; yield the objects and lists in it."""
    for key, inner in value.items():
        name = key if _NAME.fullmatch(key) else _OTHER
        inner_path = f"{path}.{name}" if path else name
        types = found.get(inner_path)
        if types is None:
            types = found[inner_path] = set()
        if inner is not None:
            types.add(_TYPES.get(type(inner), "text"))
            if isinstance(inner, (dict, list)):
                yield inner_path, inner


def strip_indexes(path: str) -> str:
    """A path without the indexes of lists: `boxes.0.size` is `boxes.size`."""
    return ".".join(part for part in path.split(".") if not part.isdigit())


_MAX_ITEMS = 20  # of a list


def _has_vanished(known: KnownKey, now: int) -> bool:
    """Whether a key that is missing again is missing for good."""
    total = known.present + known.absent
    if known.missing < MIN_MISSING or total < MIN_BODIES or known.present < MIN_SHARE * total:
        return False
    if known.absent and now < known.missing_since + MIN_MISSING_US:
        return False
    return known.missing * -math.log((known.absent + 1) / (total + 2)) >= MIN_EVIDENCE


def _join(types: Collection[str]) -> str:
    return " or ".join(sorted(types)) or "nothing"
