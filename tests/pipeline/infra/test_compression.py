"""Compressed data is decompressed up to a limit, of whichever form it is."""

from __future__ import annotations

import hashlib
import re
import tracemalloc
import zlib
from threading import Thread

import pytest

from pipeline.infra.compression import (
    DICTIONARIES,
    NEWEST_DICTIONARY,
    TooLarge,
    compress,
    decompress,
    read_dictionary,
)
from pipeline.infra.zstd import compress as compress_without_dictionary
from pipeline.infra.zstd import get_frame_info

ZSTD = "zstd"
FORMS = {"zlib": None, ZSTD: NEWEST_DICTIONARY}
# Rows of every ledger need them: a dictionary is never changed, only followed by another.
DIGESTS = {32_769: "9d23c2971b2dda8d22c461464f9aceb4aa3c537420ed016f74525c0b2b3fbd75"}


@pytest.fixture(params=FORMS, ids=str)
def dictionary(request):
    return FORMS[request.param]


def test_it_comes_out_as_it_went_in(dictionary):
    assert decompress(compress(b"a hook", dictionary), 6) == b"a hook"


def test_nothing_comes_out_as_nothing(dictionary):
    assert decompress(compress(b"", dictionary)) == b""


def test_more_than_the_limit_is_refused(dictionary):
    with pytest.raises(TooLarge):
        decompress(compress(b"a hook", dictionary), 5)


def test_truncated_data_is_refused(dictionary):
    with pytest.raises(zlib.error):
        decompress(compress(b"a hook" * 100, dictionary)[:-5])


def test_damaged_data_is_refused(dictionary):
    whole = compress(b"a hook" * 100, dictionary)
    with pytest.raises(zlib.error):
        decompress(whole[:9] + b"\xff" * len(whole[9:]))


def test_data_of_a_dictionary_that_this_version_does_not_have_is_refused():
    frame = bytearray(compress(b"a hook", NEWEST_DICTIONARY))
    place = frame.index(NEWEST_DICTIONARY.to_bytes(2, "little"))
    frame[place : place + 2] = b"\xff\xff"
    with pytest.raises(zlib.error):
        decompress(bytes(frame))


def test_a_frame_names_its_dictionary():
    assert get_frame_info(compress(b"a hook", NEWEST_DICTIONARY)).dictionary_id == NEWEST_DICTIONARY


def test_a_frame_without_a_dictionary_is_read():
    assert decompress(compress_without_dictionary(b"a hook")) == b"a hook"


def test_threads_compress_at_the_same_time():
    texts = [f"{number} ".encode() * 2_000 for number in range(8)]
    found = [b""] * len(texts)

    def work(place):
        for _ in range(50):
            found[place] = decompress(compress(texts[place], NEWEST_DICTIONARY))

    threads = [Thread(target=work, args=(place,)) for place in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == texts


def test_no_dictionary_was_changed():
    files = {int(path.stem): hashlib.sha256(path.read_bytes()).hexdigest() for path in DICTIONARIES.glob("*.zdict")}

    assert files == DIGESTS


def test_dictionaries_name_only_invented_people():
    text = b"".join(read_dictionary(number) for number in DIGESTS)

    assert set(re.findall(rb"@[a-z.]+", text)) == {b"@example.org", b"@example.net"}


def test_data_that_expands_far_beyond_the_limit_never_takes_that_much_memory(dictionary):
    packed = compress(bytes(100_000_000), dictionary)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decompress(packed, 1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10_000_000
