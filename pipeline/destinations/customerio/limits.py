"""What Customer.io takes at the most, in bytes of UTF-8, and how a text is cut to fit.

Customer.io docs, Track API: the limits say KB without saying which, so a KB is taken as 1000 bytes.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

CALL_ITEMS = 400  # no number is documented; connectors send 50 to 1000
CALL_BYTES = 450_000  # of 500 kB
ANSWER_BYTES = 1000 * CALL_ITEMS  # ours to set: a call in which every item is refused, and for several reasons
ITEM_BYTES = 32_000  # of a v2 operation with its envelope
EVENT_DATA_BYTES = 100_000  # v1 only
IDENTIFIER_BYTES = 150
ATTRIBUTES = 300
ATTRIBUTE_NAME_BYTES = 150
ATTRIBUTE_VALUE_BYTES = 1000
EVENT_NAME_BYTES = 100

LONGEST_CHARACTER = 4  # bytes
_ORJSON = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def size(text: str) -> int:
    """How long a text is on the wire."""
    return len(text.encode("utf-8", "replace"))


def cut(text: str, limit: int) -> str:
    """The beginning of a text that fits, never half a character."""
    if len(text) * LONGEST_CHARACTER <= limit:
        return text
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")


def to_json(value: Any) -> bytes:
    """The same bytes for the same value, whichever database it came from. Half a surrogate pair becomes "?"."""
    try:
        body = orjson.dumps(value, option=_ORJSON)
    except TypeError:  # a lone surrogate, a number beyond 64 bits, too deep for it
        return _thoroughly(value)
    return _thoroughly(value) if b"null" in body else body  # perhaps a NaN, which must raise


def _thoroughly(value: Any) -> bytes:
    return _ENCODE(value).encode("utf-8", "replace")
