from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.warehouses.spreadsheet.references import looks_like_reference, make_reference, read_reference

NUMBERS = st.from_regex(r"(SUB-)?[1-9][0-9]{0,10}(-R[1-9])?", fullmatch=True)


def test_a_reference_stays_what_it_is():
    assert make_reference("SUB-90000001") == "CW-SUB-90000001-RXQ"


@given(NUMBERS)
def test_every_order_number_is_read_from_its_reference(number):
    assert read_reference(make_reference(number)) == number


@given(NUMBERS)
def test_a_reference_fits_on_a_line_of_a_label(number):
    assert len(make_reference(number)) <= 25


@given(NUMBERS, NUMBERS)
def test_the_letters_of_one_reference_do_not_make_another(number, other):
    letters = make_reference(other)[-3:]

    assert read_reference(f"CW-{number}-{letters}") in {None, number}


@pytest.mark.parametrize("text", ["cw-sub-90000001-rxq", " CW-SUB-90000001-RXQ ", "CW-SUB-90000001-RXQ\n"])
def test_small_letters_and_spaces_do_no_harm(text):
    assert read_reference(text) == "SUB-90000001"


@pytest.mark.parametrize("text", ["CW-SUB-90000002-RXQ", "CW-SUB-90000001-RXW", "CW-SUB-90000010-RXQ"])
def test_a_mistyped_reference_is_seen(text):
    assert looks_like_reference(text)
    assert read_reference(text) is None


@pytest.mark.parametrize(
    "text", ["", "SUB-90000001", "90000001", "CW-SUB-90000001", "see CW-SUB-90000001-RXQ", "CW--RXQ"]
)
def test_nothing_else_is_a_reference(text):
    assert not looks_like_reference(text)
    assert read_reference(text) is None
