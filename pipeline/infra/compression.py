"""Compresses what the ledger keeps, and decompresses it up to a limit: a few hundred kilobytes can expand to megabytes.

Rows are small and alike, so each is compressed with a dictionary of what such rows have in common. Every dictionary
that was ever used stays in `dictionaries/`, since a row can only be read with its own; a frame names it. Rows of
before are zlib streams.
"""

from __future__ import annotations

import threading
import zlib
from functools import cache
from pathlib import Path

from pipeline.core.errors import CratewireError
from pipeline.infra.zstd import ZstdCompressor, ZstdDecompressor, ZstdDict, ZstdError, get_frame_info

MAX_RAW_BYTES = 100_000_000  # of one hook; the largest that CRATEWIRE_MAX_HOOK_BYTES allows
NEWEST_DICTIONARY = 32_769  # its id: the name of its file without the ending
DICTIONARIES = Path(__file__).parent / "dictionaries"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # no zlib stream and no JSON begins with it
_LEVEL = 3
_FASTEST = 1  # of zlib


class TooLarge(CratewireError):
    """The data expands to more than we ever compress, so it is not ours."""


class _Compressors(threading.local):
    """One compressor of each thread: it keeps its memory from one row to the next."""

    def __init__(self) -> None:
        self.by_id: dict[int, ZstdCompressor] = {}

    def find(self, dictionary: int) -> ZstdCompressor:
        if dictionary not in self.by_id:
            content = _load(dictionary).as_digested_dict
            self.by_id[dictionary] = ZstdCompressor(level=_LEVEL, zstd_dict=content)
        return self.by_id[dictionary]


_COMPRESSORS = _Compressors()


def compress(data: bytes, dictionary: int | None = None) -> bytes:
    """A zstd frame, compressed with the dictionary of this id; without one a zlib stream."""
    if dictionary is None:
        return zlib.compress(data, _FASTEST)
    return _COMPRESSORS.find(dictionary).compress(data, ZstdCompressor.FLUSH_FRAME)


def decompress(compressed: bytes, max_bytes: int = MAX_RAW_BYTES) -> bytes:
    """Decompress either form. Raises TooLarge as soon as it exceeds `max_bytes`, and zlib.error if it is damaged."""
    if is_zstd(compressed):
        data, is_whole = _decompress_zstd(compressed, max_bytes + 1)
    else:
        reader = zlib.decompressobj()
        data = reader.decompress(compressed, max_bytes + 1)
        is_whole = reader.eof
    if len(data) > max_bytes:
        raise TooLarge(f"{len(compressed)} compressed bytes expand to more than {max_bytes}, which we never compress")
    if not is_whole:
        raise zlib.error("incomplete or truncated stream")
    return data


def is_zstd(compressed: bytes) -> bool:
    """Whether this begins a zstd frame."""
    return compressed.startswith(_ZSTD_MAGIC)


@cache
def read_dictionary(dictionary: int) -> bytes:
    """The dictionary of this id. Raises OSError if this version does not know it."""
    return (DICTIONARIES / f"{dictionary}.zdict").read_bytes()


@cache
def _load(dictionary: int) -> ZstdDict:
    return ZstdDict(read_dictionary(dictionary))


def _decompress_zstd(frame: bytes, most: int) -> tuple[bytes, bool]:
    try:
        dictionary = get_frame_info(frame).dictionary_id
        reader = ZstdDecompressor(_load(dictionary) if dictionary else None)
        data = reader.decompress(frame, most)
    except (ZstdError, OSError) as error:  # OSError: a dictionary that this version does not have
        raise zlib.error(str(error)) from error
    return data, reader.eof
