"""What loading a body reports besides its data: errors and unknown keys, by path."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from schemas.safe_values import clean_text, json_safe

Trail = tuple[str, ...]  # the keys and indexes that lead to a value


@dataclass(frozen=True, slots=True)
class Report:
    """Filled while a body is read; made anew for each body."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)
    identifying_paths: set[str] = field(default_factory=set)  # those of the errors at fields that identify a person

    def error(self, trail: Trail, *messages: str, identifies_person: bool = False) -> None:
        path = ".".join(trail)
        self.errors.setdefault(path, []).extend(messages)
        if identifies_person:
            self.identifying_paths.add(path)

    def is_fatal(self, strict: Collection[str] | None) -> bool:
        """Return whether an error is at a field that must be readable: one that identifies a person, or in `strict`.

        Paths of `strict` have no indexes; an error above such a path counts, as it hides the field. None: every error
        is fatal.
        """
        if strict is None:
            return bool(self.errors)
        return bool(self.identifying_paths) or any(_covers_strict_path(path, strict) for path in self.errors)

    def add_unknown(self, trail: Trail, key: object, value: object) -> None:
        """Add a value whose key no schema names. Errors never contain such a key: it may be anything."""
        try:
            self.unknown[".".join((*trail, clean_text(str(key))))] = json_safe(value)
        except ValidationError as error:
            self.error(trail, *map(str, error.messages))


def _covers_strict_path(path: str, strict: Collection[str]) -> bool:
    bare = ".".join(part for part in path.split(".") if not part.isdigit())
    return not bare or any(wanted == bare or wanted.startswith(f"{bare}.") for wanted in strict)
