"""Decompresses data up to a limit: a few hundred kilobytes can expand to as many megabytes."""

from __future__ import annotations

import zlib

from pipeline.core.errors import CratewireError

MAX_RAW_BYTES = 100_000_000  # of one hook; the largest that CRATEWIRE_MAX_HOOK_BYTES allows


class TooLarge(CratewireError):
    """The data expands to more than we ever compress, so it is not ours."""


def decompress(compressed: bytes, max_bytes: int = MAX_RAW_BYTES) -> bytes:
    """Decompress zlib data. Raises TooLarge as soon as it exceeds `max_bytes`, and zlib.error if it is truncated."""
    reader = zlib.decompressobj()
    data = reader.decompress(compressed, max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge(f"{len(compressed)} compressed bytes expand to more than {max_bytes}, which we never compress")
    if not reader.eof:
        raise zlib.error("incomplete or truncated stream")
    return data
