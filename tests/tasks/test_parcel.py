"""What a batch becomes on its way through a broker."""

from __future__ import annotations

import pytest

from tasks.parcel import MARK, pack, unpack

BATCH = {"token": 1, "hooks": [{"receipt": "a", "body": {"name": "Zoë \ud83d \x00", "total": 2**63}}], "failed": []}


def test_a_batch_comes_out_as_it_went_in():
    assert unpack(pack(BATCH)) == BATCH


def test_a_packed_batch_is_one_text_that_names_nobody():
    parcel = pack(BATCH)

    assert parcel.startswith(MARK)
    assert "Zo" not in parcel


@pytest.mark.parametrize("value", [None, [1, 2], "text", 7, True])
def test_whatever_is_no_batch_travels_as_it_is(value):
    assert unpack(pack(value)) == value


def test_a_batch_of_the_version_before_is_read():
    assert unpack(BATCH) == BATCH
