"""The raw bytes of a hook: their beginning on a page, all of them as a download."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from receiver.pages.filters import show_controls

MAX_RAW_CHARS = 20_000  # of a body on a page
_MAX_CHAR_BYTES = 4


@dataclass(frozen=True, slots=True)
class ShownBytes:
    """The beginning of a body as text. `size`: bytes of the whole."""

    text: str
    size: int
    is_cut: bool


def show_bytes(raw: bytes | None) -> ShownBytes | None:
    """What a page shows of a body; None if it is not kept."""
    if raw is None:
        return None
    text = raw[: MAX_RAW_CHARS * _MAX_CHAR_BYTES].decode("utf-8", "replace")
    shown = text[:MAX_RAW_CHARS]
    return ShownBytes(show_controls(shown), len(raw), len(raw) > len(shown.encode()))


def send_bytes(raw: bytes, name: str) -> Response:
    """Answer with the bytes as a file to save: a browser neither shows nor runs what a sender has made up."""
    response = Response(raw, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.bin"'
    return response
