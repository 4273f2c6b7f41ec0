"""How a batch lies in a broker: compressed JSON in one text.

A worker's main process parses every message only to hand it on, and a broker writes it down twice; both are spared
nine tenths of that. And nobody who looks into a queue reads people's names.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import orjson

from pipeline.errors import CratewireError
from pipeline.packed import unpacked

# Of each format, so that every version knows what it can read. The first is a tenth of the second's work, but takes
# no integer beyond 64 bits and no half of a surrogate pair, and a hook may hold either.
FAST, ANY = "z2:", "z1:"
_MARK = re.compile(r"z\d+:")
_LEVEL = 1
# A batch's raw bodies are a few megabytes at the most, and no character of theirs takes more than six in JSON.
MOST_BYTES = 64_000_000


class OfAnotherVersion(CratewireError):
    """A batch packed in a way this version does not know. Nothing is lost with it: its hooks are read again."""


def pack(value: Any) -> Any:
    """A batch as text; anything else as it is."""
    if not isinstance(value, dict):
        return value
    try:
        mark, text = FAST, orjson.dumps(value)
    except TypeError:
        mark, text = ANY, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return mark + base64.b64encode(zlib.compress(text, _LEVEL)).decode("ascii")


def unpack(value: Any) -> Any:
    """What was packed; anything else as it is. Raises OfAnotherVersion, or TooMuch for what is no batch of ours."""
    mark = _MARK.match(value) if isinstance(value, str) else None
    if mark is None:
        return value
    if mark[0] not in (FAST, ANY):
        raise OfAnotherVersion(f"a batch is packed as {mark[0]} which this version cannot read; finish the upgrade")
    text = unpacked(base64.b64decode(value[len(FAST) :]), MOST_BYTES)
    return orjson.loads(text) if value.startswith(FAST) else json.loads(text.decode("utf-8", "surrogatepass"))
