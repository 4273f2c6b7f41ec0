"""Unpacks what was compressed, up to a bound: a few hundred kilobytes may stand for as many megabytes."""

from __future__ import annotations

import zlib

from pipeline.core.errors import CratewireError

MAX_RAW_BYTES = 100_000_000  # of one hook; the largest that CRATEWIRE_MAX_HOOK_BYTES allows


class TooLarge(CratewireError):
    """It unpacks to more than is ever packed, so it is not of our making."""


def decompress(compressed: bytes, max_bytes: int = MAX_RAW_BYTES) -> bytes:
    """What zlib compressed. Raises TooMuch as soon as it is more than `most` bytes; zlib.error if it is cut short."""
    reader = zlib.decompressobj()
    found = reader.decompress(compressed, max_bytes + 1)
    if len(found) > max_bytes:
        raise TooLarge(
            f"what is packed in {len(compressed)} bytes is more than {max_bytes}; nothing here packs as much"
        )
    if not reader.eof:
        raise zlib.error("incomplete or truncated stream")
    return found
