"""The body nearly every hook has, read and written by orjson in a quarter of the time.

Wherever orjson reads or writes otherwise than `json` does, there is no answer here, and the strict reader is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

# Quotes are counted to find a name that was lost because it stood there twice, so none may be written as an escape.
_HIDDEN_QUOTE = "\\u0022"
# Some small and all large floats may be written otherwise, and a number beyond 64 bits was read as a large float.
# (A pattern that begins with one letter is searched for ten times as fast as one that begins with a choice.)
_EXPONENT = re.compile(rb"e(?<=[0-9]e)[-+]?[0-9]")
_SMALL_FLOAT = b"0.0000"
_DELETE_CHARACTER = b"\x7f"  # `json` escapes it, as it does whatever is not ASCII


@dataclass(frozen=True, slots=True)
class FastJson:
    """An object, and the canonical text that stands for it, unless that is for `json` to write."""

    body: dict[str, Any]
    text: bytes | None


def read_fast_json(text: str) -> FastJson | str | None:
    """The object or the string the text stands for; None for anything else, and for all that wants a closer look."""
    try:
        value = orjson.loads(text)
        if isinstance(value, dict):
            return _build_if_strict_agrees(value, text)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value if isinstance(value, str) else None


def _build_if_strict_agrees(body: dict[str, Any], text: str) -> FastJson | None:
    """The body, if `json` would read the same."""
    written = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    if _HIDDEN_QUOTE in text or written.count(b'"') != text.count('"'):
        return None
    if _SMALL_FLOAT in written or _EXPONENT.search(written):
        return None
    return FastJson(body, written if written.isascii() and _DELETE_CHARACTER not in written else None)
