"""The vendor's published limits, and how to measure against them in UTF-8 bytes; it knows no wording of errors."""

import json
import re

ID_BYTES = 150
ATTRIBUTE_NAME_BYTES = 150
ATTRIBUTE_VALUE_BYTES = 1000
ATTRIBUTES = 300
EVENT_NAME_BYTES = 100
EVENT_DATA_BYTES = 100_000

# The vendor writes KB without saying 1000 or 1024; a careful client keeps to the smaller one, so we hold it to that.
ITEM_BYTES = 32_000
BATCH_BYTES = 500_000

# Beyond this size the edge refuses before anything is read.
REQUEST_BYTES = 5_000_000

CAMPAIGN_WINDOW_S = 72 * 3600
EVENT_MOVE_WINDOW_S = 30 * 86_400

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_UTF8_BYTES_PER_CHARACTER = 4


def text_fits(text: str, limit: int) -> bool:
    """Tell whether a text keeps to a limit in bytes; short texts are not encoded at all."""
    return len(text) * _UTF8_BYTES_PER_CHARACTER <= limit or len(text.encode("utf-8", "surrogatepass")) <= limit


def json_bytes(content: object) -> int:
    """Return the length of the most compact JSON text of a value."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def value_fits(value: object) -> bool:
    """Tell whether an attribute's value keeps to its limit; what is not a text is measured as JSON."""
    if isinstance(value, str):
        return text_fits(value, ATTRIBUTE_VALUE_BYTES)
    if value is None or isinstance(value, bool | int | float):
        return True
    return json_bytes(value) <= ATTRIBUTE_VALUE_BYTES


def is_ulid(text: str) -> bool:
    """Say whether a text is a ULID; the letters of its alphabet may be small ones."""
    return _ULID.fullmatch(text.upper()) is not None
