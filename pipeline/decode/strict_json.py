"""One text as strict JSON: as `json` reads it, but without NaN and without a name that means two things."""

from __future__ import annotations

import json
from typing import Any, Never

from pipeline.decode.limits import Reason, check_nesting, refuse


class NotJSONError(ValueError):
    """The text is not JSON; another form may fit. `at` is where reading stopped."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def read_json(text: str) -> Any:
    """The value the text stands for. Raise NotJSONError, or BadHook if no other form can help."""
    check_nesting(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJSONError(error.pos) from None  # the cause would carry the text
    except ValueError:  # Python refuses to convert an integer of more than 4300 digits.
        refuse(Reason.NUMBER_TOO_LONG)


def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object from its pairs. A repeated name passes if it repeats the value too."""
    value = dict(pairs)
    if len(value) != len(pairs):
        _refuse_conflicting_keys(pairs, value)
    return value


def _refuse_conflicting_keys(pairs: list[tuple[str, Any]], value: dict[str, Any]) -> None:
    for key, item in pairs:
        if item is not value[key] and not _is_identical(item, value[key]):
            refuse(Reason.DUPLICATE_KEY)


def _is_identical(one: Any, other: Any) -> bool:
    """Whether both are written alike: 1, 1.0 and True are equal to Python. Only what stands twice is looked at."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_identical(item, other[key]) for key, item in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_identical, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


def _refuse_constant(_name: str) -> Never:
    refuse(Reason.NOT_A_NUMBER)


# Not strict: a control character inside a string is no reason to lose a hook.
_DECODER = json.JSONDecoder(object_pairs_hook=build_object, parse_constant=_refuse_constant, strict=False)
