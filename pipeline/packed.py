"""Unpacks what was compressed, up to a bound: a few hundred kilobytes may stand for as many megabytes."""

from __future__ import annotations

import zlib

from pipeline.errors import CratewireError

MOST_RAW_BYTES = 100_000_000  # of one hook; the largest that CRATEWIRE_MAX_HOOK_BYTES allows


class TooMuch(CratewireError):
    """It unpacks to more than is ever packed, so it is not of our making."""


def unpacked(packed: bytes, most: int = MOST_RAW_BYTES) -> bytes:
    """What zlib compressed. Raises TooMuch as soon as it is more than `most` bytes; zlib.error if it is cut short."""
    reader = zlib.decompressobj()
    found = reader.decompress(packed, most + 1)
    if len(found) > most:
        raise TooMuch(f"what is packed in {len(packed)} bytes is more than {most}; nothing here packs as much")
    if not reader.eof:
        raise zlib.error("incomplete or truncated stream")
    return found
