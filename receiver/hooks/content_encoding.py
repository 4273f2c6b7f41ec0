"""Decompresses bodies (`Content-Encoding`), and rejects encodings and content types that are not supported."""

from __future__ import annotations

import zlib

GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15  # zlib's window bits for the three formats
_WINDOW_BITS = {
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    "deflate": (_ZLIB, _RAW_DEFLATE),
}  # some senders of deflate omit the zlib header
_JSON_BEGINNINGS = (b"{", b"[", b'"')  # JSON begins with one of these, compressed data never does


class UnsupportedEncoding(Exception):
    """The content encoding or content type is not supported."""


class CorruptBody(Exception):
    """The body is not in the format that its encoding names."""


class DecompressedTooLarge(Exception):
    """The decompressed body is too large."""


def get_body_encoding(content_encoding: str | None, content_type: str | None) -> str | None:
    """Return the encoding for `decompress_body`; None if the body is not compressed. Raises UnsupportedEncoding."""
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
    """Return the content. At most `max_bytes` are decompressed. Raises CorruptBody or DecompressedTooLarge.

    A proxy may decompress a body and leave the header: a body that does not look compressed is returned unchanged.
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
    """Return the content; None if the body has another format, is truncated, or is followed by other data."""
    reader = zlib.decompressobj(window_bits)
    try:
        content = reader.decompress(body, max_bytes + 1)
    except zlib.error:
        return None
    if len(content) > max_bytes:
        raise DecompressedTooLarge
    return content if reader.eof and not reader.unused_data else None
