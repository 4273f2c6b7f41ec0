"""Writes and reads JSON text that both databases accept: no NUL, no lone surrogate, no NaN.

PostgreSQL refuses the first two inside JSONB, and one hostile key in one body would fail a whole batch. orjson is used
where it can be; values that it refuses, or would change, are left to the standard library.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson

_SURROGATE = re.compile("[\ud800-\udfff]")
_ORJSON_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
)  # no more types than the standard library's encoder takes
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19  # a number of so many digits may not fit into 64 bits, and orjson makes a float of it
_LONG_STRING = b'"' + _LONG_NUMBER  # a parcel's tracking number is as long, but is a string


def dumps(value: Any) -> str:
    """Compact JSON; characters that a database refuses are dropped or replaced."""
    if (empty := _EMPTY.get(type(value))) is not None and not value:  # most notes and lists of a hook are
        return empty
    try:
        text = orjson.dumps(value, option=_ORJSON_OPTIONS).decode()
    except TypeError:  # a lone surrogate, a number beyond 64 bits, too deep for it
        return _dump_sanitized(value)
    suspect = "\\u0000" in text or ("null" in text and not _is_finite(value))
    return _dump_sanitized(value) if suspect else text


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, integers of any size."""
    read = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    digits = read.translate(_ZEROS)
    if _LONG_NUMBER not in digits or _LONG_NUMBER not in digits.replace(_LONG_STRING, b""):
        try:
            return orjson.loads(read)
        except orjson.JSONDecodeError:
            pass
    return json.loads(text)


def _dump_sanitized(value: Any) -> str:
    text = _dump(value)
    return _dump(_sanitize(value)) if "\\u0000" in text or _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None  # nearly every text is ASCII


def _is_finite(value: Any) -> bool:
    """Whether no number in it is NaN or infinite: orjson writes null for these."""
    waiting = [value]
    for item in waiting:  # which grows meanwhile: a generator for each list and object costs three times as much
        if isinstance(item, dict):
            waiting += [inner for inner in item.values() if type(inner) not in _ALWAYS_FINITE]
        elif isinstance(item, (list, tuple)):
            waiting += [inner for inner in item if type(inner) not in _ALWAYS_FINITE]
        elif isinstance(item, float) and not math.isfinite(item):
            return False
    return True


def _sanitize(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_sanitize(key): _sanitize(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sanitize(item) for item in value]
    return value


_EMPTY: dict[type, str] = {list: "[]", dict: "{}"}
_ALWAYS_FINITE = frozenset({str, int, bool, type(None)})
