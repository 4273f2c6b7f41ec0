"""JSON text that both databases take: no NUL, no lone surrogate, no NaN.

PostgreSQL refuses the first two inside JSONB, and one hostile key of one body would fail a whole batch.
"""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def dumps(value: Any) -> str:
    """Compact JSON; characters no database takes are dropped or replaced."""
    text = _dump(value)
    return _dump(_cleaned(value)) if "\\u0000" in text or _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None  # nearly every text is ASCII


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return value
