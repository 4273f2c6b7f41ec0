"""The encoding of a batch in a message: compressed JSON as one string.

A worker's main process parses every message only to pass it on, and a broker stores it twice: this saves nine tenths of
both. And the names of people cannot be read in a queue.
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

# Each format has its mark, so that every version knows which it can read. orjson takes a tenth of the time, but no
# integer beyond 64 bits and no lone surrogate, and a hook may contain either.
ORJSON_MARK, JSON_MARK = "z2:", "z1:"
_MARK_PATTERN = re.compile(r"z\d+:")
_ZLIB_LEVEL = 1
# A batch's raw bodies are a few megabytes at most, and no character of theirs takes more than six in JSON.
MAX_UNPACKED_BYTES = 64_000_000


class UnsupportedPayloadFormat(CratewireError):
    """A batch is encoded in a format that this version does not know. Nothing is lost: its hooks are read again."""


def encode_payload(value: Any) -> Any:
    """Encode a batch (a dict) as a string; return anything else unchanged."""
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
    """Decode an encoded batch; return anything else unchanged. Raises UnsupportedPayloadFormat, or an error of
    `decompress` if it is too large.
    """
    mark = _MARK_PATTERN.match(value) if isinstance(value, str) else None
    if mark is None:
        return value
    if mark[0] not in (ORJSON_MARK, JSON_MARK):
        raise UnsupportedPayloadFormat(
            f"a batch is encoded as {mark[0]} which this version cannot read; finish the upgrade"
        )
    text = decompress(base64.b64decode(value[len(ORJSON_MARK) :]), MAX_UNPACKED_BYTES)
    return orjson.loads(text) if value.startswith(ORJSON_MARK) else json.loads(text.decode("utf-8", "surrogatepass"))
