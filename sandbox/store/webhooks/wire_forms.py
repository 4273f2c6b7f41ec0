"""Bytes on the wire: the four forms of a hook body, and bodies that cannot be read."""

import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sandbox.store.state import Row


def escaped_string(body: Row) -> bytes:
    """Form A: one JSON string whose content is JSON, as the documents say and two receivers had to learn."""
    return json.dumps(_text(body)).encode()


def plain_object(body: Row) -> bytes:
    """Form B: a reading of the documented sentence about POST."""
    return _text(body).encode()


def without_quotes(body: Row) -> bytes:
    """Form C: form A without its outer quotes, another reading of "escaped JSON strings"."""
    return escaped_string(body)[1:-1]


def python_literal(body: Row) -> bytes:
    """Form D: the documents print design_updated like this."""
    return repr(dict(sorted(body.items()))).encode()


FORMS: dict[str, Callable[[Row], bytes]] = {
    "A": escaped_string,
    "B": plain_object,
    "C": without_quotes,
    "D": python_literal,
}


def _text(body: Row) -> str:
    return json.dumps(body, sort_keys=True)


def damage_body(body: Row, rng: random.Random) -> bytes:
    """Something that was meant to be a body."""
    whole = escaped_string(body)
    return rng.choice(
        (
            whole[: len(whole) * rng.randrange(30, 80) // 100],
            b"\xff\x00" + rng.randbytes(60),
            b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
            b"",
        )
    )


PLACEHOLDER = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def fill_query_template(template: str, body: Row) -> str:
    """Fill the `{{ path.to.field }}` of a GET hook. The syntax is a guess: the shop's themes use it."""
    return PLACEHOLDER.sub(lambda found: quote(_as_query(_at(body, found[1].split("."))), safe=""), template)


def _at(value: Any, path: list[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _as_query(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
