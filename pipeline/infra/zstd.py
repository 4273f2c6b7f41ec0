"""Zstandard: of Python itself from 3.14 on, and of the package that brings the same to older ones."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import (
        ZstdCompressor,
        ZstdDecompressor,
        ZstdDict,
        ZstdError,
        compress,
        finalize_dict,
        get_frame_info,
    )
else:
    from backports.zstd import (
        ZstdCompressor,
        ZstdDecompressor,
        ZstdDict,
        ZstdError,
        compress,
        finalize_dict,
        get_frame_info,
    )

__all__ = [
    "ZstdCompressor",
    "ZstdDecompressor",
    "ZstdDict",
    "ZstdError",
    "compress",
    "finalize_dict",
    "get_frame_info",
]
