from __future__ import annotations

import pytest

from pipeline.destinations.error_text import error_text
from pipeline.redaction.scrub import MAX_CHARACTERS


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"meta":{"errors":["value for attribute \'a\' cannot be longer than 1000 bytes"]}}', "value for attribute 'a' cannot be longer than 1000 bytes"),  # noqa: E501
        ('{"meta":{"error":"Unauthorized request"}}', "Unauthorized request"),
        ('{"errors":[{"reason":"invalid","field":"name","message":"is required"},{"detail":"x"},{"title":"y"}]}', "name: is required; x; y"),  # noqa: E501
        ('{"message":"no"}', "no"),
        ('{"errors":[1,null,{},{"message":2}]}', ""),
        ('{"errors":"odd","meta":3}', ""),
        ("[1]", ""),
        ("", ""),
        ("<html><h1>502</h1>\n<p>Bad gateway</p>", "502 Bad gateway"),
        ("no user robin@example.com or robin%40example.com here", "no user [address] or [address] here"),
    ],
)  # fmt: skip
def test_the_vendors_words_are_found_and_scrubbed(body: str, said: str):
    assert error_text(body) == said


def test_long_words_are_cut():
    assert len(error_text("x" * 1000)) == MAX_CHARACTERS


def test_a_body_nested_beyond_reason_is_no_fault_of_ours():
    assert error_text("[" * 100_000)
