"""Bodies that are no UTF-8, and whose `Content-Type` names another encoding: they become UTF-8.

Only encodings of one byte a character are read: they cannot be slow, and what they make of a body is never much longer.
"""

from __future__ import annotations

import re

_NAMED = re.compile(r';\s*charset\s*=\s*"?([\w-]+)')
_WESTERN = (
    "cp1252"  # what is called ISO-8859-1 nearly always is this: https://encoding.spec.whatwg.org/#names-and-labels
)
_CODECS = {
    **{f"windows-125{number}": f"cp125{number}" for number in range(9)},
    **{f"iso-8859-{number}": f"iso8859-{number}" for number in (*range(2, 12), *range(13, 17))},
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "cp1252"), _WESTERN),
}


def in_utf8(content_type: str | None, body: bytes, most: int) -> bytes:
    """The body as UTF-8; as it came if it is that, if no encoding is named that is read here, if it is not written in
    the one that is named, or would be longer than `most` bytes.
    """
    codec = _codec_of(content_type)
    if codec is None or _reads(body, "utf-8") is not None:
        return body
    text = _reads(body, codec)
    content = body if text is None else text.encode()
    return content if len(content) <= most else body


def _codec_of(content_type: str | None) -> str | None:
    named = _NAMED.search(content_type.lower()) if content_type else None
    return named and _CODECS.get(named[1])


def _reads(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return None
