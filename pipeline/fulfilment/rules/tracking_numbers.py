"""The one spelling of a tracking number."""

from __future__ import annotations


def normalize_tracking_number(text: str) -> str:
    """Return the number in upper case and without blanks: warehouses and people space it for reading."""
    return "".join(text.split()).upper()
