"""What a batch becomes on its way through a broker."""

from __future__ import annotations

import base64
import zlib

import pytest

from pipeline.infra.compression import TooLarge
from tasks.worker.codec import (
    JSON_MARK,
    MAX_UNPACKED_BYTES,
    ORJSON_MARK,
    UnsupportedPayloadFormat,
    decode_payload,
    encode_payload,
)


def batch_of(body):
    return {"token": 1, "hooks": [{"receipt": "a", "body": body}], "failed": []}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Zoë \x00", "total": 2**63 - 1, "rate": 0.1, "none": None, "deep": [[[{}]]]},
        {"total": 2**64},
        {"total": -(2**63) - 1},
        {"half a pair": "\ud83d"},
        {"\ud83d": 1},
        {"largest": 1.7976931348623157e308, "smallest": 5e-324, "negative": -0.0},
    ],
)
def test_a_batch_comes_out_as_it_went_in(body):
    assert repr(decode_payload(encode_payload(batch_of(body)))) == repr(batch_of(body))


@pytest.mark.parametrize(
    ("body", "mark"), [({"name": "Zoë"}, ORJSON_MARK), ({"name": "Zoë", "total": 2**64}, JSON_MARK)]
)
def test_an_encoded_batch_is_a_string_without_names(body, mark):
    parcel = encode_payload(batch_of(body))

    assert parcel.startswith(mark)
    assert "Zo" not in parcel


@pytest.mark.parametrize("value", [None, [1, 2], "text", 7, True])
def test_whatever_is_no_batch_travels_as_it_is(value):
    assert decode_payload(encode_payload(value)) == value


def test_a_batch_that_is_not_packed_is_read():
    assert decode_payload(batch_of({"total": 1})) == batch_of({"total": 1})


@pytest.mark.parametrize(
    "packed",
    [
        "z1:eAENyjEOgDAIBdC7/JnFlauYDtVibNqIURZDuLu8+TlMh1zghXCqjhe8Oh7Zpd8GRgVh0/aBPafVmTOiEI7ap7TcJX77+BZA",
        "z2:eAENyjEOgDAIBdC7/JnFlauYDtVibNqIURZDuLu8+TlMh1zghXCqjhe8Oh7Zpd8GRgVh0/aBPafVmTOiEI7ap7TcJX77+BZA",
    ],
)
def test_what_a_version_ever_sent_is_read(packed):
    assert decode_payload(packed) == batch_of({"total": 1})


def test_a_batch_packed_in_another_versions_way_is_refused():
    with pytest.raises(UnsupportedPayloadFormat, match="z9:"):
        decode_payload("z9:eAGr")


def test_a_message_that_decodes_to_more_than_any_batch_is_refused():
    bomb = ORJSON_MARK + base64.b64encode(zlib.compress(bytes(MAX_UNPACKED_BYTES + 1))).decode()

    with pytest.raises(TooLarge):
        decode_payload(bomb)
