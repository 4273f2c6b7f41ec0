"""Messages as JSON, the same bytes for the same value, and texts cut to a limit in bytes of UTF-8."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

MAX_CHARACTER_BYTES = 4
_TEXT_LIMITS_BYTES = (10_000, 2_000, 500, 100)
_ORJSON = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def byte_length(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def truncate(text: str, limit: int) -> str:
    """Return the beginning of a text that fits, without splitting a character."""
    if len(text) * MAX_CHARACTER_BYTES <= limit:
        return text
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")


def to_json(value: Any) -> bytes:
    """Return the same bytes for the same value, whichever database it came from. A lone surrogate becomes "?"."""
    try:
        body = orjson.dumps(value, option=_ORJSON)
    except TypeError:  # a lone surrogate, a number beyond 64 bits, or nested too deeply
        return _encode_with_stdlib(value)
    return _encode_with_stdlib(value) if b"null" in body else body  # possibly a NaN, which must raise


def _encode_with_stdlib(value: Any) -> bytes:
    return _ENCODE(value).encode("utf-8", "replace")


def drop_not_finite(value: Any) -> Any:
    """Return the value with None for each number that JSON has no text for."""
    if isinstance(value, dict):
        return {key: drop_not_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [drop_not_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shorten_texts(data: dict[str, Any], max_bytes: int) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Return the data with its texts cut as little as possible, and notes; None if that does not make it fit."""
    if len(to_json(data)) <= max_bytes:
        return data, ()
    for limit in _TEXT_LIMITS_BYTES:
        shorter = _shorten(data, limit)
        if len(to_json(shorter)) <= max_bytes:
            return shorter, (f"cut:texts over {limit} bytes",)
    return None


def _shorten(value: Any, limit: int) -> Any:
    if isinstance(value, dict):
        return {key: _shorten(item, limit) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorten(item, limit) for item in value]
    return truncate(value, limit) if isinstance(value, str) else value
