"""Makes JSON values safe for every database and every JSON writer; knows nothing of Cratejoy."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from marshmallow import ValidationError

MAX_DEPTH = 64  # levels; far more than any resource has, far less than the interpreter's stack
TOO_DEEP = "is nested too deeply"


def clean(text: str) -> str:
    """The text without NULs (PostgreSQL refuses them) and lone surrogates (UTF-8 cannot write them)."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # Two halves of one character are joined on the way; a half alone becomes U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def tidy(text: str) -> str | None:
    """The text cleaned and trimmed; None if nothing is left: the store sends "" and null for the same field."""
    return (text if text.isprintable() else clean(text)).strip() or None


def json_safe(value: object, depth: int = 0) -> Any:
    """The same value, fit for JSON without NaN; raises ValidationError for what JSON cannot say."""
    if depth > MAX_DEPTH:
        raise ValidationError(TOO_DEEP)
    make = _SAFE.get(type(value))
    if make is None:
        raise ValidationError("is not a JSON value")
    return make(value, depth)


_SAFE: dict[type, Callable[[Any, int], Any]] = {
    dict: lambda value, depth: {clean(str(key)): json_safe(item, depth + 1) for key, item in value.items()},
    list: lambda value, depth: [json_safe(item, depth + 1) for item in value],
    str: lambda value, _: clean(value),
    float: lambda value, _: value if isfinite(value) else None,
    int: lambda value, _: value,
    bool: lambda value, _: value,
    type(None): lambda value, _: value,
}
