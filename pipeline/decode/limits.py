"""The limits of a body, and its canonical text."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from enum import StrEnum
from typing import Any, NoReturn

from pipeline.core.errors import BadHook


class Reason(StrEnum):
    """Why a hook could not be decoded: codes of dead hooks."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    WRONG_ENCODING = "wrong_encoding"
    BAD_UTF8 = "bad_utf8"
    NOT_JSON = "not_json"
    TOO_MANY_LAYERS = "too_many_layers"
    TOO_DEEP = "too_deep"
    NOT_A_NUMBER = "not_a_number"
    TOO_MANY_VALUES = "too_many_values"
    NUMBER_TOO_LONG = "number_too_long"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_OBJECT = "not_an_object"


REASON_SENTENCES: dict[Reason, str] = {
    Reason.EMPTY: "The hook carried neither a body nor a query string.",
    Reason.TOO_LARGE: "The body is larger than we read.",
    Reason.WRONG_ENCODING: "The body is marked as UTF-16 or UTF-32; hooks are UTF-8.",
    Reason.BAD_UTF8: "The text is not valid UTF-8.",
    Reason.NOT_JSON: "The body is neither JSON nor anything we can read as JSON.",
    Reason.TOO_MANY_LAYERS: "The body is a string within a string more often than we unwrap.",
    Reason.TOO_DEEP: "Objects and lists are nested deeper than any real hook nests them.",
    Reason.NOT_A_NUMBER: "A number is infinite or not a number, which JSON does not know.",
    Reason.TOO_MANY_VALUES: "The body holds more values than any real hook.",
    Reason.NUMBER_TOO_LONG: "A whole number has more digits than any real value.",
    Reason.DUPLICATE_KEY: "One name stands for two different values.",
    Reason.NOT_AN_OBJECT: "The body could be read, but it is not an object.",
}


def refuse(reason: Reason, **detail: object) -> NoReturn:
    """Raise BadHook with plain values: positions, lengths and counts, never content."""
    raise BadHook(reason.value, detail)


MAX_BYTES = 5_000_000
MAX_LAYERS = 4  # strings within strings
MAX_DEPTH = 64  # objects and lists; a shipment nests about eight
MAX_VALUES = 100_000  # of all kinds; a large order holds some hundreds
MAX_DIGITS = 100  # of a whole number; the longest id seen has fourteen

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_ONLY_OPENERS = bytes(byte for byte in range(256) if byte not in b"[{")
_ONLY_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_DEPTH_STEPS = {ord(bracket): 1 if bracket in "[{" else -1 for bracket in "[]{}"}
# An unterminated string extends to the end of the text: if it did not match, each quote in it would be tried anew.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+["\\]?+', re.DOTALL)
_MIN_VALUE_CHARS = 2  # characters that a value takes, with the comma behind it
_DIGITS_TO_ZERO = bytes.maketrans(b"0123456789", b"0" * 10)
_TOO_MANY_DIGITS = b"0" * (MAX_DIGITS + 1)


def check_count(text: str) -> None:
    """Refuse a JSON text with too many values before it is parsed. A short text is not scanned."""
    if len(text) > MAX_VALUES * _MIN_VALUE_CHARS and _max_value_count(text) > MAX_VALUES:
        found = _max_value_count(_STRING.sub("", text))
        if found > MAX_VALUES:
            refuse(Reason.TOO_MANY_VALUES, limit=MAX_VALUES)


def check_nesting(text: str) -> None:
    """Refuse a JSON text that is nested too deeply before it is parsed."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _STRING.sub("", text).encode("utf-8", "surrogatepass").translate(None, _ONLY_BRACKETS):
        depth += _DEPTH_STEPS[bracket]
        if depth > MAX_DEPTH:
            refuse(Reason.TOO_DEEP)


def to_canonical_json(body: dict[str, Any], text: bytes | None = None) -> bytes:
    """Return compact JSON with sorted keys, the same for equal bodies: `text`, if known. Refuse a body beyond limits.

    The limits are checked by searching this text, which is needed anyway and costs next to nothing; the body itself is
    walked through only if it may exceed them.
    """
    text = text or _encode_canonical(body)
    if len(text.translate(None, _ONLY_OPENERS)) > MAX_DEPTH:
        _check_depth(body)
    if _TOO_MANY_DIGITS in text.translate(_DIGITS_TO_ZERO):
        _check_digits(body)
    return text


def _max_value_count(text: str) -> int:
    """Return an upper bound of the values: a container holds one value more than commas, or none."""
    return text.count(",") + text.count("{") + text.count("[") + 1


def _encode_canonical(body: dict[str, Any]) -> bytes:
    # 1e309 reads as infinity. The error is left first: from Python 3.14 on it names the keys that lead there.
    with suppress(ValueError):
        return _ENCODE(body).encode("ascii")
    refuse(Reason.NOT_A_NUMBER)


def _check_depth(body: dict[str, Any]) -> None:
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = [item for container in level for item in _items(container) if isinstance(item, (dict, list))]
    if level:
        refuse(Reason.TOO_DEEP)


def _check_digits(body: dict[str, Any]) -> None:
    level: list[Any] = [body]
    while level:
        items = [item for container in level for item in _items(container)]
        if any(isinstance(item, int) and abs(item) >= 10**MAX_DIGITS for item in items):
            refuse(Reason.NUMBER_TOO_LONG)
        level = [item for item in items if isinstance(item, (dict, list))]


def _items(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container
