"""Customer.io's limits, in bytes of UTF-8, and how texts are cut to fit them.

Customer.io docs, Track API: the limits say KB without saying which, so a KB is taken as 1000 bytes.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_CALL_ITEMS = 400  # none is documented; connectors send 50 to 1000
MAX_CALL_BYTES = 450_000  # the documented limit is 500 kB
MAX_RESPONSE_BYTES = 1000 * MAX_CALL_ITEMS  # our own limit: enough if every item is refused for several reasons
MAX_ITEM_BYTES = 32_000  # of a v2 operation with its envelope
MAX_EVENT_DATA_BYTES = 100_000  # v1 only
MAX_IDENTIFIER_BYTES = 150
MAX_ATTRIBUTES = 300
MAX_ATTRIBUTE_NAME_BYTES = 150
MAX_ATTRIBUTE_VALUE_BYTES = 1000
MAX_EVENT_NAME_BYTES = 100

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
