"""Decodes the bytes of a hook: the object inside, and its fingerprint. Whatever the bytes, only BadHook is raised."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.decode.limits import MAX_BYTES, Reason, refuse, to_canonical_json
from pipeline.decode.query import read_query
from pipeline.decode.unwrap import unwrap

Form = Literal["A", "B", "C", "D", "query", "form"]

# How a form begins: a name and `=`, or JSON with its first bracket percent-encoded.
_FORM_START = re.compile(r"[A-Za-z_%][\w.%+\-\[\]]*+=|%(?:7[Bb]|5[Bb])")
_UTF8_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # UTF-16, and UTF-32, whose little-endian mark begins alike


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body that was decoded."""

    form: Form  # how it was wrapped
    body: dict[str, Any]
    fingerprint: str  # sha-256 of the canonical body, the same for every form


def decode(raw: bytes, query: str | None = None, *, max_bytes: int = MAX_BYTES) -> Decoded:
    """Decode a hook; raise BadHook with a `Reason` if it cannot be. The query string counts only without a body.

    Many senders declare JSON as a form, so the beginning of the body decides which it is, not its `Content-Type`.
    """
    size = len(raw) + len(query or "")
    if size > max_bytes:
        refuse(Reason.TOO_LARGE, length=size, limit=max_bytes)
    try:
        if query and not raw.removeprefix(_UTF8_BOM).strip(b" \t\r\n\v\f\0"):
            return _build_decoded("query", read_query(query), None)
        text = _decode_utf8(raw)
        if _FORM_START.match(text):  # no JSON begins like this
            return _build_decoded("form", read_query(text.strip()), None)
        unwrapped = unwrap(text)
        return _build_decoded(unwrapped.form, unwrapped.body, unwrapped.text)
    except RecursionError:  # JSON readers and writers fail at Python's recursion limit, far beyond MAX_DEPTH
        refuse(Reason.TOO_DEEP)


def _build_decoded(form: Form, body: dict[str, Any], text: bytes | None) -> Decoded:
    return Decoded(form, body, hashlib.sha256(to_canonical_json(body, text)).hexdigest())


def _decode_utf8(raw: bytes) -> str:
    if raw.startswith(_OTHER_BOMS):
        refuse(Reason.WRONG_ENCODING)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse(Reason.BAD_UTF8, at=error.start, length=len(raw))
