"""Reads the query string of a GET hook, or the body of a form, as an object.

Cratejoy's docs: the merchant names the parameters of a GET hook, so any name is possible.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from pipeline.core.errors import BadHook
from pipeline.decode.limits import MAX_VALUES, Reason, refuse
from pipeline.decode.strict_json import build_object
from pipeline.decode.unwrap import unwrap


def read_query(query: str) -> dict[str, Any]:
    """Return {"a": "1", "b": "x"} for `a=1&b=x`; a single parameter that holds a JSON object is that object."""
    if query.count("&") >= MAX_VALUES:
        refuse(Reason.TOO_MANY_VALUES, limit=MAX_VALUES)
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        refuse(Reason.BAD_UTF8)
    if not pairs:
        refuse(Reason.EMPTY)
    if len(pairs) == 1:
        name, value = pairs[0]
        embedded = _read_embedded_object(value or name)
        if embedded is not None:
            return embedded
    return build_object(pairs)


def _read_embedded_object(text: str) -> dict[str, Any] | None:
    """Return the object in the text, or None. An unfilled template such as `{{ customer.email }}` is plain text."""
    try:
        return unwrap(text).body
    except BadHook as error:
        if error.reason in {Reason.EMPTY, Reason.NOT_JSON, Reason.NOT_AN_OBJECT}:
            return None
        raise
