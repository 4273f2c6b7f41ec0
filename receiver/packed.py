"""Bodies that come packed (`Content-Encoding`), or are of a kind that no reader takes."""

from __future__ import annotations

import zlib

GZIP_MARK = b"\x1f\x8b"
_GZIP, _ZLIB, _BARE = 31, 15, -15  # what zlib calls the three forms
_FORMS = {
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    "deflate": (_ZLIB, _BARE),
}  # some senders of deflate leave its frame out
_PLAIN = (b"{", b"[", b'"')  # how JSON begins, and nothing packed does


class Unread(Exception):
    """Nothing here reads this coding or kind of content."""


class Broken(Exception):
    """It is not what its coding says."""


class TooLong(Exception):
    """It is longer than may be, once unpacked."""


def coding_of(content_encoding: str | None, content_type: str | None) -> str | None:
    """How a body is packed, for `unpacked`; None: not at all. Raises Unread."""
    if content_type and content_type.lstrip().lower().startswith("multipart/"):
        raise Unread
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    codings = [name for name in names if name not in ("", "identity")]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] not in _FORMS:
        raise Unread
    return codings[0]


def unpacked(coding: str, body: bytes, most: int) -> bytes:
    """The content, of which no more than `most` bytes are ever unpacked. Raises Broken or TooLong.

    A proxy may unpack a body and leave the header: what does not look packed is taken as it is.
    """
    if not body or body.lstrip()[:1] in _PLAIN or (_GZIP in _FORMS[coding] and not body.startswith(GZIP_MARK)):
        return body
    for form in _FORMS[coding]:
        content = _inflated(form, body, most)
        if content is not None:
            return content
    raise Broken


def _inflated(form: int, body: bytes, most: int) -> bytes | None:
    """The content; None if the body is not of this form, breaks off, or has something behind it."""
    reader = zlib.decompressobj(form)
    try:
        content = reader.decompress(body, most + 1)
    except zlib.error:
        return None
    if len(content) > most:
        raise TooLong
    return content if reader.eof and not reader.unused_data else None
