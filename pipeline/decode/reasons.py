"""Why a body cannot be read: the closed set of reasons, each with a sentence for people."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from pipeline.errors import BadHook


class Reason(StrEnum):
    """The codes a dead hook carries when decoding failed."""

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


SENTENCES: dict[Reason, str] = {
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
