"""The vendor's published limits, and how sizes are measured in UTF-8 bytes."""

import json
import re

ID_BYTES = 150
ATTRIBUTE_NAME_BYTES = 150
ATTRIBUTE_VALUE_BYTES = 1000
ATTRIBUTES = 300
EVENT_NAME_BYTES = 100
EVENT_DATA_BYTES = 100_000

# The vendor writes KB without saying 1000 or 1024; a careful client respects the smaller unit, and so does the sandbox.
ITEM_BYTES = 32_000
BATCH_BYTES = 500_000

# Beyond this size the edge refuses before anything is read.
REQUEST_BYTES = 5_000_000

CAMPAIGN_WINDOW_S = 72 * 3600
EVENT_MOVE_WINDOW_S = 30 * 86_400

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_UTF8_BYTES_PER_CHARACTER = 4


def text_fits(text: str, limit: int) -> bool:
    """Return whether a text is within a limit in bytes. Short texts are not encoded."""
    return len(text) * _UTF8_BYTES_PER_CHARACTER <= limit or len(text.encode("utf-8", "surrogatepass")) <= limit


def json_bytes(content: object) -> int:
    """Return the length of the most compact JSON text of a value."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def value_fits(value: object) -> bool:
    """Return whether the value of an attribute is within its limit. What is not a text is measured as JSON."""
    if isinstance(value, str):
        return text_fits(value, ATTRIBUTE_VALUE_BYTES)
    if value is None or isinstance(value, bool | int | float):
        return True
    return json_bytes(value) <= ATTRIBUTE_VALUE_BYTES


def is_ulid(text: str) -> bool:
    """Return whether a text is a ULID, in upper or lower case."""
    return _ULID.fullmatch(text.upper()) is not None
