"""Counts with their nouns, for sentences in messages and pages: 1 hook, 2 hooks."""

from __future__ import annotations


def pluralize(count: int, noun: str, plural: str | None = None) -> str:
    """Return the count with its noun in the right number. `plural`: for a noun that does not just take an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
