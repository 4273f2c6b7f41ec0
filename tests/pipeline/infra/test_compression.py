"""Compressed data is decompressed up to a limit."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from pipeline.infra.compression import TooLarge, decompress


def test_it_comes_out_as_it_went_in():
    assert decompress(zlib.compress(b"a hook"), 6) == b"a hook"


def test_more_than_the_limit_is_refused():
    with pytest.raises(TooLarge):
        decompress(zlib.compress(b"a hook"), 5)


def test_truncated_data_is_refused():
    with pytest.raises(zlib.error):
        decompress(zlib.compress(b"a hook")[:-5])


def test_data_that_expands_far_beyond_the_limit_never_takes_that_much_memory():
    packed = zlib.compress(bytes(100_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decompress(packed, 1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10_000_000
