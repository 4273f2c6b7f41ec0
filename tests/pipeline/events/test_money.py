"""Amounts as text."""

from __future__ import annotations

import pytest

from pipeline.events.money import format_money


@pytest.mark.parametrize(
    ("minor_units", "currency", "text"),
    [
        (4800, "USD", "USD 48.00"),
        (-500, "EUR", "-EUR 5.00"),
        (4800, "JPY", "JPY 4,800"),
        (4800, "KWD", "KWD 4.800"),
        (123456789, "USD", "USD 1,234,567.89"),
        (100, "XYZ", "XYZ 1.00"),
    ],
)
def test_an_amount_has_as_many_decimals_as_its_currency(minor_units, currency, text):
    assert format_money(minor_units, currency) == text
