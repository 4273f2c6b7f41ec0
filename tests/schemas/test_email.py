"""Addresses of people: one form, however they were typed, and which of them mail can reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import load
from schemas.email import is_email, normalize_email

MARIA = "maria@example.com"
UNSEEN = ["\u200b", "\ufeff", "\u00ad", "\u202a", "\u202c", "\u2066", "\u200e", "\u2060", "\x07", "\0", "\n", "\x9f"]


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
@pytest.mark.parametrize("place", [0, 3, 5, 6, 9, len(MARIA)])
def test_an_invisible_character_is_no_part_of_an_address(unseen, place):
    assert normalize_email(MARIA[:place] + unseen + MARIA[place:]) == MARIA


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Maria@Example.COM\t", MARIA),
        ("\u202amaria@example.com\u202c", MARIA),
        ("jose\u0301@example.com", "josé@example.com"),
        ("jose\u200b\u0301@example.com", "josé@example.com"),
        ("JOSÉ@example.com", "josé@example.com"),
        ("İrem@example.com", "irem@example.com"),
        ("I\u0307rem@example.com", "irem@example.com"),
        ("i\u0307rem@example.com", "irem@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("maria@bücher.example", "maria@xn--bcher-kva.example"),
        ("maria@BÜCHER.example", "maria@xn--bcher-kva.example"),
        ("maria@bu\u0308cher.example", "maria@xn--bcher-kva.example"),
        ("maria@XN--bcher-kva.example", "maria@xn--bcher-kva.example"),
        ("maria@faß.example", "maria@xn--fa-hia.example"),
        ("maria@example\u3002com", MARIA),
        ("İ\u0307rem@example.com", "irem@example.com"),
        ("\u200b", None),
        (" ", None),
    ],
    ids=ascii,
)
def test_an_address_has_one_form(typed, normal):
    assert normalize_email(typed) == normal
    assert load("customer", {"email": typed}).data == {"email": normal}


@given(st.text() | st.text(st.sampled_from("aİiI\u0307ß@.\u200b\u0301 é\u0345Σ")))
def test_the_normal_form_of_a_normal_form_is_itself(text):
    once = normalize_email(text)

    assert once is None or normalize_email(once) == once


@pytest.mark.parametrize(
    "text",
    [MARIA, "josé@example.com", "o'hara+box@mail.example.co.uk", "a..b@docomo.example", "maria@xn--bcher-kva.example"],
)
def test_what_mail_reaches_is_an_address(text):
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "maria@example..com",
        "maria@.example.com",
        "maria@example.com.",
        "maria@example",
        "maria@@example.com",
        "maria example.com",
        "@example.com",
        "maria@exam ple.com",
        f"maria@{'a' * 64}.com",
        f"{'m' * 140}@example.com",
        "maria@☃-.example",
        None,
        7,
    ],
)
def test_what_mail_cannot_reach_is_none(text):
    assert not is_email(text)
