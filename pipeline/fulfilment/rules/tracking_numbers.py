"""The one spelling of a tracking number."""

from __future__ import annotations

MAX_CHARACTERS = 100  # the longest of any carrier has about 40; an index takes no text of any length


def normalize_tracking_number(text: str) -> str:
    """Return the number in upper case and without blanks: warehouses and people space it for reading."""
    return "".join(text.split()).upper()[:MAX_CHARACTERS]
