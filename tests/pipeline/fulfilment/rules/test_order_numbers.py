from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fulfilment.rules.order_numbers import OrderNumber, format_order_number, parse_order_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SUB-12345", OrderNumber(12345, "subscription")),
        ("12345", OrderNumber(12345, "order")),
        ("SUB-12345-R1", OrderNumber(12345, "subscription", 1)),
        (" sub-12345-r12 ", OrderNumber(12345, "subscription", 12)),
        ("SUB-", None),
        ("SUB12345", None),
        ("12345-1", None),
        ("#12345", None),
        ("WEB-12345", None),
        ("١٢٣", None),
        ("1" * 20, None),
        ("", None),
    ],
)
def test_only_numbers_like_ours_are_parsed(text, number):
    assert parse_order_number(text) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (OrderNumber(12345, "subscription"), "SUB-12345"),
        (OrderNumber(12345, "order"), "12345"),
        (OrderNumber(12345, "order", 2), "12345-R2"),
    ],
)
def test_a_number_is_made_as_extensiv_makes_it(number, text):
    assert format_order_number(number) == text


@given(
    st.builds(OrderNumber, st.integers(0, 2**63 - 1), st.sampled_from(["subscription", "order"]), st.integers(0, 9999))
)
def test_a_number_is_parsed_as_it_was_made(number):
    assert parse_order_number(format_order_number(number)) == number
