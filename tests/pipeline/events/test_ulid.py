"""ULIDs of what happened, and receipts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events.ulid import is_ulid, make_ulid, new_receipt

TEN = b"0123456789"
MICROSECONDS = st.integers(0, 2**47)


@pytest.mark.parametrize(
    ("ms", "key", "ulid"),
    [
        (1_700_000_000_000, "store-1|shipment_shipped|evt-0001|customer", "01HF7YAT00VB4KN3Z89JZKN9G8"),
        (1_700_000_000_000, "store-1|shipment_shipped|evt-0001|gift_recipient", "01HF7YAT004CGKJZ81AGY1G066"),
    ],
)
def test_a_ulid_of_an_event_is_always_the_same(ms, key, ulid):
    assert make_ulid(ms, key) == ulid


def test_the_specifications_own_time_makes_its_own_prefix():
    assert make_ulid(1_469_918_176_385, "any").startswith("01ARYZ6S41")


@pytest.mark.parametrize(("ms", "prefix"), [(-1, "0000000000"), (0, "0000000000"), (2**48, "7ZZZZZZZZZ")])
def test_a_time_out_of_range_is_the_nearest_in_range(ms, prefix):
    assert make_ulid(ms, "any").startswith(prefix)


@settings(deadline=None)
@given(st.integers(), st.text(st.characters()))
def test_any_time_and_key_make_a_ulid(ms, key):
    assert is_ulid(make_ulid(ms, key))


@settings(deadline=None)
@given(MICROSECONDS, st.binary(min_size=10, max_size=10))
def test_a_receipt_is_a_ulid(now, random_bytes):
    assert is_ulid(new_receipt(now, random_bytes))


@settings(deadline=None)
@given(MICROSECONDS, MICROSECONDS, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_receipts_sort_by_microsecond(one, other, this, that):
    assert one == other or (new_receipt(one, this) < new_receipt(other, that)) == (one < other)


@pytest.mark.parametrize(
    ("now_us", "random_bytes", "receipt"),
    [
        (1_700_000_000_000_999, TEN, "01HF7YAT00Z760RK4CSM6MV3EE"),
        (1_700_000_000_001_000, bytes(10), "01HF7YAT010000000000000000"),
        (0, b"\xff" * 10, "000000000000ZZZZZZZZZZZZZZ"),
    ],
)
def test_a_receipt_is_the_time_in_microseconds_and_seventy_random_bits(now_us, random_bytes, receipt):
    assert new_receipt(now_us, random_bytes) == receipt


def test_receipts_of_one_microsecond_differ_by_their_random_part():
    assert new_receipt(1, TEN) != new_receipt(1, b"9876543210")


@pytest.mark.parametrize("random_bytes", [b"", TEN[:-1], TEN + b"x"])
def test_a_receipt_takes_ten_random_bytes(random_bytes):
    with pytest.raises(ValueError, match="10 random bytes"):
        new_receipt(1, random_bytes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01HF7YAT00VB4KN3Z89JZKN9G",
        "01HF7YAT00VB4KN3Z89JZKN9G8\n",
        "81HF7YAT00VB4KN3Z89JZKN9G8",
        "01hf7yat00vb4kn3z89jzkn9g8",
        "01HF7YAT00VB4KN3Z89JZKN9GU",
        "\u06601HF7YAT00VB4KN3Z89JZKN9G8",
    ],
)
def test_what_only_looks_like_a_ulid_is_none(text):
    assert not is_ulid(text)
