"""Converts a body that is not UTF-8 and whose `Content-Type` names another encoding to UTF-8.

Only single-byte encodings are supported: decoding them is fast, and the result is never much longer than the body.
"""

from __future__ import annotations

import re

_NAMED = re.compile(r';\s*charset\s*=\s*"?([\w-]+)')
# What is labelled ISO-8859-1 usually is this: https://encoding.spec.whatwg.org/#names-and-labels
_WESTERN = "cp1252"
_CODECS = {
    **{f"windows-125{number}": f"cp125{number}" for number in range(9)},
    **{f"iso-8859-{number}": f"iso8859-{number}" for number in (*range(2, 12), *range(13, 17))},
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "cp1252"), _WESTERN),
}


def convert_to_utf8(content_type: str | None, body: bytes, max_bytes: int) -> bytes:
    """Return the body as UTF-8. Unchanged if it already is UTF-8, if no supported encoding is named, if it is invalid
    in the named encoding, or if it would be longer than `max_bytes`.
    """
    codec = _find_codec(content_type)
    if codec is None or _try_decode(body, "utf-8") is not None:
        return body
    text = _try_decode(body, codec)
    content = body if text is None else text.encode()
    return content if len(content) <= max_bytes else body


def _find_codec(content_type: str | None) -> str | None:
    match = _NAMED.search(content_type.lower()) if content_type else None
    return match and _CODECS.get(match[1])


def _try_decode(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return None
