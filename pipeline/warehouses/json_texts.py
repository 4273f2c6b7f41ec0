"""Reads the JSON of warehouses, without what no database takes: NUL, lone surrogates, numbers that are not finite.

What a value should be and is not counts as empty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def load_json(text: str | bytes) -> Any:
    """Return the value of a JSON text. Raises ValueError, or RecursionError for one that is nested too deeply."""
    return _clean(json.loads(text, parse_float=_parse_float, parse_constant=lambda _: None))


def as_text(value: Any) -> str:
    """Return a text without spaces around it, or a whole number as text."""
    return str(value).strip() if isinstance(value, str | int) else ""


def as_object(value: Any) -> Mapping[str, Any]:
    """Return an object."""
    return value if isinstance(value, dict) else {}


def as_rows(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _parse_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else _clean_text(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _clean_text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
