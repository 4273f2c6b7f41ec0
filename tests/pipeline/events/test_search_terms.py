"""Names, addresses and tracking numbers as the search compares them."""

from __future__ import annotations

import pytest

from pipeline.events.search_terms import (
    MAX_WORD_CHARS,
    MAX_WORDS,
    find_tracking_numbers,
    fold_address,
    fold_name,
    fold_tracking,
    read_names,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mila Šimůnek", ("mila", "simunek")),
        ("Anne-Marie O'Hara", ("anne", "marie", "ohara")),
        ("Łukasz Sørensen Straße", ("lukasz", "sorensen", "strasse")),
        ("  Mila  mila ", ("mila",)),
        ("山田太郎", ("山田太郎",)),
        ("<b>\x00\u202e", ("b",)),
        ("-", ()),
    ],
)
def test_a_name_is_the_words_in_it_without_case_and_accents(name, words):
    assert fold_name(name) == words


def test_of_a_name_that_a_sender_made_up_little_is_kept():
    words = fold_name(" ".join(f"{number}{'x' * 500}" for number in range(500)))

    assert len(words) <= MAX_WORDS
    assert max(map(len, words)) <= MAX_WORD_CHARS


def test_an_address_and_a_number_have_no_case_and_no_blanks():
    assert fold_address(" Mila@Example.COM") == "mila@example.com"
    assert fold_tracking("1Z 999-AA1") == "1z999aa1"


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        ({"tracking_number": "1Z 999 AA1"}, {"1z999aa1"}),
        ({"labels": [{"tracking": "9400 1118"}, None, {"tracking": 7}]}, {"94001118"}),
        ({"tracking_number": "123"}, set()),
        ({"tracking_number": None, "labels": "x"}, set()),
    ],
    ids=["of the shipment", "of its labels", "too short", "none"],
)
def test_the_tracking_numbers_of_a_shipment_are_found(data, numbers):
    assert find_tracking_numbers(data) == numbers


def test_the_names_of_a_person_are_in_two_kinds_of_facts():
    assert read_names("customer", {"first_name": [1, "Mila"], "last_name": [1, None]}) == ("Mila",)
    assert read_names("gift_received", {"name": [1, "Rory Pond"]}) == ("Rory Pond",)
    assert read_names("order", {"name": [1, "x"]}) == ()
