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

from pipeline.core.errors import CratewireError
from pipeline.infra.compression import decompress

# Of each format, so that every version knows what it can read. The first is a tenth of the second's work, but takes
# no integer beyond 64 bits and no half of a surrogate pair, and a hook may hold either.
ORJSON_MARK, JSON_MARK = "z2:", "z1:"
_MARK_PATTERN = re.compile(r"z\d+:")
_ZLIB_LEVEL = 1
# A batch's raw bodies are a few megabytes at the most, and no character of theirs takes more than six in JSON.
MAX_UNPACKED_BYTES = 64_000_000


class UnsupportedPayloadFormat(CratewireError):
    """A batch packed in a way this version does not know. Nothing is lost with it: its hooks are read again."""


def encode_payload(value: Any) -> Any:
    """A batch as text; anything else as it is."""
    if not isinstance(value, dict):
        return value
    try:
        mark, text = ORJSON_MARK, orjson.dumps(value)
    except TypeError:
        mark, text = (
            JSON_MARK,
            json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
        )
    return mark + base64.b64encode(zlib.compress(text, _ZLIB_LEVEL)).decode("ascii")


def decode_payload(value: Any) -> Any:
    """What was packed; anything else as it is. Raises OfAnotherVersion, or TooMuch for what is no batch of ours."""
    mark = _MARK_PATTERN.match(value) if isinstance(value, str) else None
    if mark is None:
        return value
    if mark[0] not in (ORJSON_MARK, JSON_MARK):
        raise UnsupportedPayloadFormat(
            f"a batch is packed as {mark[0]} which this version cannot read; finish the upgrade"
        )
    text = decompress(base64.b64decode(value[len(ORJSON_MARK) :]), MAX_UNPACKED_BYTES)
    return orjson.loads(text) if value.startswith(ORJSON_MARK) else json.loads(text.decode("utf-8", "surrogatepass"))
