"""Reads strict JSON: as `json` does, but without NaN, and without a name that has two different values."""

from __future__ import annotations

import json
from typing import Any, Never

from pipeline.decode.limits import Reason, check_nesting, refuse


class NotJSONError(ValueError):
    """The text is not JSON; another form may match. `position` is where reading stopped."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def read_json(text: str) -> Any:
    """Return the value of the text. Raise NotJSONError, or BadHook if no other form can match."""
    check_nesting(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJSONError(error.pos) from None  # the cause would carry the text
    except ValueError:  # Python refuses to convert an integer of more than 4300 digits
        refuse(Reason.NUMBER_TOO_LONG)


def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these pairs. A name may be repeated with the same value."""
    value = dict(pairs)
    if len(value) != len(pairs):
        _refuse_conflicting_keys(pairs, value)
    return value


def _refuse_conflicting_keys(pairs: list[tuple[str, Any]], value: dict[str, Any]) -> None:
    for key, item in pairs:
        if item is not value[key] and not _is_identical(item, value[key]):
            refuse(Reason.DUPLICATE_KEY)


def _is_identical(first: Any, second: Any) -> bool:
    """Return whether both are written alike; to Python 1, 1.0 and True are equal."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_is_identical(item, second[key]) for key, item in first.items())
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_is_identical, first, second))
    return repr(first) == repr(second) if isinstance(first, float) else bool(first == second)


def _refuse_constant(_name: str) -> Never:
    refuse(Reason.NOT_A_NUMBER)


# `strict=False`: a control character inside a string is no reason to lose a hook.
_DECODER = json.JSONDecoder(object_pairs_hook=build_object, parse_constant=_refuse_constant, strict=False)
