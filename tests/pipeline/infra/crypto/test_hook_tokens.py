"""Tokens in hook URLs: ours verify, all others are refused in the same way."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InvalidToken
from pipeline.infra.crypto.hook_tokens import sign, verify

KEYS = ("first key of the tests", "second key of the tests")
TOKEN = sign(KEYS, "box-shop", 3)


@settings(deadline=None)
@given(st.text(st.characters()), st.integers(0, 10**12))
def test_a_token_gives_back_its_version_for_any_store(store, version):
    assert verify(KEYS, store, sign(KEYS, store, version)) == version


def test_a_token_is_the_same_every_time():
    assert sign(KEYS, "box-shop", 3) == TOKEN


def test_a_token_needs_no_escaping_in_a_url():
    assert set(TOKEN) <= set(string.ascii_letters + string.digits + "-_.")


def test_a_token_carries_256_bits_of_signature():
    assert len(base64.urlsafe_b64decode(TOKEN.partition(".")[2] + "=")) == 32


def test_a_token_of_an_older_key_verifies():
    assert verify(KEYS, "box-shop", sign(KEYS[1:], "box-shop", 7)) == 7


def test_the_first_key_signs():
    assert verify(KEYS[:1], "box-shop", TOKEN) == 3


def test_a_token_of_a_key_that_is_gone_is_refused():
    with pytest.raises(InvalidToken):
        verify(KEYS[1:], "box-shop", TOKEN)


def test_keys_may_be_a_list():
    assert verify(list(KEYS), "box-shop", TOKEN) == 3


def test_a_token_of_another_store_is_refused():
    with pytest.raises(InvalidToken):
        verify(KEYS, "box-shop2", TOKEN)


@pytest.mark.parametrize(("signed", "version", "store", "claimed"), [("a:1", 2, "a", "1:2"), ("a", 12, "a:1", "2")])
def test_no_two_pairs_of_store_and_version_share_a_token(signed, version, store, claimed):
    signature = sign(KEYS, signed, version).partition(".")[2]

    with pytest.raises(InvalidToken):
        verify(KEYS, store, f"{claimed}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "3",
        "3.",
        TOKEN[1:],
        "4" + TOKEN[1:],
        "03" + TOKEN[1:],
        " " + TOKEN,
        TOKEN + "=",
        TOKEN + "!",
        TOKEN + "\0",
        TOKEN + "\n",
        TOKEN * 2,
        TOKEN[:-1],
        TOKEN[:-1] + "é",
        "é" * 50,
        "\udcff.\udcff",
        "x" * 1_000_000,
        "9" * 1_000_000 + TOKEN[1:],
    ],
)
def test_a_malformed_token_is_refused(token):
    with pytest.raises(InvalidToken):
        verify(KEYS, "box-shop", token)


@settings(deadline=None)
@given(st.text(st.characters()))
@example(TOKEN[::-1])
def test_any_other_text_is_refused(token):
    with pytest.raises(InvalidToken):
        verify(KEYS, "box-shop", token)


@settings(deadline=None)
@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_a_token_with_one_character_changed_is_refused(at, character):
    changed = TOKEN[:at] + character + TOKEN[at + 1 :]

    assert changed == TOKEN or _refused(changed)


def test_the_refusal_does_not_repeat_the_token():
    with pytest.raises(InvalidToken) as refused:
        verify(KEYS, "box-shop", TOKEN + "x")

    assert TOKEN not in repr(refused.value)


def test_signing_without_a_key_is_an_error():
    with pytest.raises(ValueError, match="no secret key"):
        sign((), "box-shop", 1)


def test_a_negative_version_is_an_error():
    with pytest.raises(ValueError, match="not negative"):
        sign(KEYS, "box-shop", -1)


def _refused(token):
    try:
        verify(KEYS, "box-shop", token)
    except InvalidToken:
        return True
    return False
