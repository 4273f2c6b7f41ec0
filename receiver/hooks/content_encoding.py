"""Bodies that come packed (`Content-Encoding`), or are of a kind that no reader takes."""

from __future__ import annotations

import zlib

GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15  # what zlib calls the three forms
_WINDOW_BITS = {
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    "deflate": (_ZLIB, _RAW_DEFLATE),
}  # some senders of deflate leave its frame out
_JSON_BEGINNINGS = (b"{", b"[", b'"')  # how JSON begins, and nothing packed does


class UnsupportedEncoding(Exception):
    """Nothing here reads this coding or kind of content."""


class CorruptBody(Exception):
    """It is not what its coding says."""


class DecompressedTooLarge(Exception):
    """It is longer than may be, once unpacked."""


def get_body_encoding(content_encoding: str | None, content_type: str | None) -> str | None:
    """How a body is packed, for `unpacked`; None: not at all. Raises Unread."""
    if content_type and content_type.lstrip().lower().startswith("multipart/"):
        raise UnsupportedEncoding
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    codings = [name for name in names if name not in ("", "identity")]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] not in _WINDOW_BITS:
        raise UnsupportedEncoding
    return codings[0]


def decompress_body(encoding: str, body: bytes, max_bytes: int) -> bytes:
    """The content, of which no more than `most` bytes are ever unpacked. Raises Broken or TooLong.

    A proxy may unpack a body and leave the header: what does not look packed is taken as it is.
    """
    if (
        not body
        or body.lstrip()[:1] in _JSON_BEGINNINGS
        or (_GZIP in _WINDOW_BITS[encoding] and not body.startswith(GZIP_MAGIC))
    ):
        return body
    for form in _WINDOW_BITS[encoding]:
        content = _try_inflate(form, body, max_bytes)
        if content is not None:
            return content
    raise CorruptBody


def _try_inflate(window_bits: int, body: bytes, max_bytes: int) -> bytes | None:
    """The content; None if the body is not of this form, breaks off, or has something behind it."""
    reader = zlib.decompressobj(window_bits)
    try:
        content = reader.decompress(body, max_bytes + 1)
    except zlib.error:
        return None
    if len(content) > max_bytes:
        raise DecompressedTooLarge
    return content if reader.eof and not reader.unused_data else None
