"""What one reading notes beside the data: the errors, and the keys no schema names, each under its path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from schemas.clean import clean, json_safe

Trail = tuple[str, ...]  # the keys and indexes that lead to a value


@dataclass(frozen=True, slots=True)
class Report:
    """Filled while a body is read; made anew for each body."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)

    def error(self, trail: Trail, *messages: str) -> None:
        self.errors.setdefault(".".join(trail), []).extend(messages)

    def unnamed(self, trail: Trail, key: object, value: object) -> None:
        """Keep a value whose key no schema names. An error never shows such a key: it may be anything."""
        try:
            self.unknown[".".join((*trail, clean(str(key))))] = json_safe(value)
        except ValidationError as error:
            self.error(trail, *map(str, error.messages))
