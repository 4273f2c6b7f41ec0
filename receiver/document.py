"""Converts what a query returns for JSON: the same for the command line and the pages."""

from __future__ import annotations

import dataclasses
from typing import Any


def as_document(shown: Any) -> Any:
    """Convert dataclasses, also nested ones, for JSON: times in µs, raw bytes as text."""
    if dataclasses.is_dataclass(shown) and not isinstance(shown, type):
        return {field.name: as_document(getattr(shown, field.name)) for field in dataclasses.fields(shown)}
    if isinstance(shown, dict):
        return {key: as_document(value) for key, value in shown.items()}
    if isinstance(shown, list | tuple):
        return [as_document(item) for item in shown]
    return shown.decode("utf-8", "backslashreplace") if isinstance(shown, bytes) else shown
