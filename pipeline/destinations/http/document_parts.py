"""Reads the values of one part of a document, and says with its place what is wrong with one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """An object in a document. `path`: its place; `faults`: those of the whole document, in their order."""

    path: str
    value: dict[str, Any]
    faults: list[str]

    def name(self, key: str) -> str:
        """Return the place of a value."""
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def fault(self, key: str, text: str) -> None:
        """Note that a value is wrong."""
        place = self.name(key)
        self.faults.append(f"{place}: {text}" if place else text)

    def enter(self, key: str) -> Part:
        """Return an inner object; an empty one if it is missing or wrong."""
        inner = self.value.get(key, {})
        if not isinstance(inner, dict):
            self.fault(key, "must be an object")
            inner = {}
        return Part(self.name(key), inner, self.faults)

    def refuse_others(self, known: Collection[str]) -> None:
        """Note every key that has no meaning here."""
        for key in sorted(set(self.value) - set(known)):
            self.fault(key, f"is unknown; there are: {', '.join(known)}")

    def read_text(self, key: str) -> str:
        """Return a text; "" if it is missing or wrong."""
        value = self.value.get(key, "")
        if isinstance(value, str):
            return value.strip()
        self.fault(key, "must be a text")
        return ""

    def read_choice(self, key: str, choices: Sequence[str], usual: str) -> str:
        """Return one of the choices."""
        value = self.read_text(key) or usual
        if value in choices:
            return value
        self.fault(key, f"must be one of {', '.join(filter(None, choices))}")
        return usual

    def read_int(self, key: str, usual: int, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        value = self.value.get(key, usual)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        self.fault(key, f"must be a whole number from 1 to {most}")
        return usual
