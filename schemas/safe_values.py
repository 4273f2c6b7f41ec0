"""Makes JSON values safe for every database and every JSON writer. Knows nothing of Cratejoy."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from marshmallow import ValidationError

# Invisible characters that only order or break a text: controls except tab and line breaks, marks of direction, soft
# hyphens, zero-width spaces. The joiners stay, because Persian names and emoji need them.
_INVISIBLE = dict.fromkeys(
    [
        *(code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"),
        *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF),
        *range(0xFFF9, 0xFFFC),
    ]
)
MAX_DEPTH = 64  # levels; far more than any resource has, far less than the interpreter's stack
TOO_DEEP = "is nested too deeply"


def clean_text(text: str) -> str:
    """Return the text without NULs (PostgreSQL refuses them) and lone surrogates (UTF-8 cannot encode them)."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # This joins two surrogates of one character; a lone one becomes U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def normalize_text(text: str) -> str | None:
    """Return the text without invisible characters, trimmed; None if empty: the store uses "" and null alike."""
    return (text if text.isprintable() else clean_text(text).translate(_INVISIBLE)).strip() or None


def json_safe(value: object, depth: int = 0) -> Any:
    """Return the value, fit for JSON without NaN. Raises ValidationError for what JSON cannot express."""
    if depth > MAX_DEPTH:
        raise ValidationError(TOO_DEEP)
    convert = _CONVERTERS.get(type(value))
    if convert is None:
        raise ValidationError("is not a JSON value")
    return convert(value, depth)


_CONVERTERS: dict[type, Callable[[Any, int], Any]] = {
    dict: lambda value, depth: {clean_text(str(key)): json_safe(item, depth + 1) for key, item in value.items()},
    list: lambda value, depth: [json_safe(item, depth + 1) for item in value],
    str: lambda value, _: clean_text(value),
    float: lambda value, _: value if isfinite(value) else None,
    int: lambda value, _: value,
    bool: lambda value, _: value,
    type(None): lambda value, _: value,
}
