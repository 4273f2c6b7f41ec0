"""Unwraps an object: from JSON strings within strings, backslash-escaped text, or a Python literal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.decode.fast_json import FastJson, read_fast_json
from pipeline.decode.limits import MAX_LAYERS, Reason, check_count, refuse
from pipeline.decode.python_literal import read_literal
from pipeline.decode.strict_json import NotJSONError, read_json

WireForm = Literal["A", "B", "C", "D"]

_IGNORED_EDGES = " \t\r\n\v\f\0\xa0\ufeff"  # white space, NUL and the byte order mark around a body
# Possessive quantifiers do not backtrack, so a text that does not match fails in linear time.
_ESCAPED = re.compile(r'[\[{](?:\s|\\[nrt])*+[\[{]?+(?:\s|\\[nrt])*+\\+"')
_LITERAL = re.compile(r"""[\[{(]|[uU]?['"]""")
_JSON_TYPE_NAMES = {bool: "boolean", int: "number", float: "number", list: "list"}


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The object inside, and its form: B bare, A in strings; C or D if any layer needed that reading.

    `text` is the canonical text, if it is known already.
    """

    form: WireForm
    body: dict[str, Any]
    text: bytes | None = None


def unwrap(text: str) -> Unwrapped:
    """Read layer after layer until one is an object. Raise BadHook if none is."""
    form: WireForm = "B"
    layer = 0
    while True:
        read, value = _read_layer(text.strip(_IGNORED_EDGES), layer)
        form = _rarer_form(form, read)
        if isinstance(value, FastJson):
            return Unwrapped(form, value.body, value.text)
        if isinstance(value, dict):
            return Unwrapped(form, value)
        if not isinstance(value, str):
            refuse(Reason.NOT_AN_OBJECT, found=_JSON_TYPE_NAMES.get(type(value), "null"), layer=layer)
        if layer == MAX_LAYERS:
            refuse(Reason.TOO_MANY_LAYERS, layers=MAX_LAYERS)
        form, text, layer = _rarer_form(form, "A"), value, layer + 1


def _rarer_form(first: WireForm, second: WireForm) -> WireForm:
    return max(first, second, key="BACD".index)


def _read_layer(text: str, layer: int) -> tuple[WireForm, Any]:
    if not text:
        refuse(Reason.EMPTY, layer=layer)
    check_count(text)
    value = read_fast_json(text)
    if value is not None:
        return "B", value
    try:
        return "B", read_json(text)
    except NotJSONError as error:
        position = error.position
    try:
        return _read_other_forms(text)
    except NotJSONError as error:
        refuse(Reason.NOT_JSON, at=max(position, error.position), length=len(text), layer=layer)


def _read_other_forms(text: str) -> tuple[WireForm, Any]:
    """Read the text as form C, which is form A without its quotes, or as form D, a Python literal."""
    if _ESCAPED.match(text):
        return "C", read_json(f'"{text}"')
    if _LITERAL.match(text):
        return "D", read_literal(text)
    raise NotJSONError(0)
