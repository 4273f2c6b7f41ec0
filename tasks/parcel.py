"""How a batch lies in a broker: compressed JSON in one text.

A worker's main process parses every message only to hand it on, and a broker writes it down twice; both are spared
nine tenths of that. And nobody who looks into a queue reads people's names.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

MARK = "z1:"  # of this format; a later one gets another, so that each version knows what it can read
_LEVEL = 1


def pack(value: Any) -> Any:
    """A batch as text; anything else as it is."""
    if not isinstance(value, dict):
        return value
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return MARK + base64.b64encode(zlib.compress(text, _LEVEL)).decode("ascii")


def unpack(value: Any) -> Any:
    """What was packed; anything else as it is: the version before this one sent batches bare."""
    if not (isinstance(value, str) and value.startswith(MARK)):
        return value
    packed = base64.b64decode(value.removeprefix(MARK))
    return json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))
