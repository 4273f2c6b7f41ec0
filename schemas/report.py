"""What one reading notes beside the data: the errors, and the keys no schema names, each under its path."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from schemas.clean import clean_text, json_safe

Trail = tuple[str, ...]  # the keys and indexes that lead to a value


@dataclass(frozen=True, slots=True)
class Report:
    """Filled while a body is read; made anew for each body."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)
    identifying_paths: set[str] = field(default_factory=set)  # the paths among the errors that say who somebody is

    def error(self, trail: Trail, *messages: str, identifies_person: bool = False) -> None:
        path = ".".join(trail)
        self.errors.setdefault(path, []).extend(messages)
        if identifies_person:
            self.identifying_paths.add(path)

    def is_fatal(self, strict: Collection[str] | None) -> bool:
        """Whether an error is about what must be read: who somebody is, or what stands at a path of `strict`.

        Paths of `strict` name no indexes; an error above such a path hides what stands there. None: all must be read.
        """
        if strict is None:
            return bool(self.errors)
        return bool(self.identifying_paths) or any(_covers_strict_path(path, strict) for path in self.errors)

    def add_unknown(self, trail: Trail, key: object, value: object) -> None:
        """Keep a value whose key no schema names. An error never shows such a key: it may be anything."""
        try:
            self.unknown[".".join((*trail, clean_text(str(key))))] = json_safe(value)
        except ValidationError as error:
            self.error(trail, *map(str, error.messages))


def _covers_strict_path(path: str, strict: Collection[str]) -> bool:
    bare = ".".join(part for part in path.split(".") if not part.isdigit())
    return not bare or any(one == bare or one.startswith(f"{bare}.") for one in strict)
