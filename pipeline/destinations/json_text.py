"""Messages as JSON, the same bytes for the same value, and texts cut to a limit in bytes of UTF-8."""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_CHARACTER_BYTES = 4
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
