"""Credentials at rest: what is encrypted is decrypted by its key and by no other."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import Misconfigured
from pipeline.infra.crypto.encryption import RowIdentity, can_decrypt, decrypt, encrypt, names_its_row, reencrypt

OLD, NEW = "the old key of the tests", "the new key of the tests"
ROW = RowIdentity("connections", 3, 1)
CONFIG = {"site_id": "s-17", "api_key": "very-private", "region": "eu"}


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters()), st.text(st.characters())))
def test_any_config_is_decrypted_as_it_was(config):
    assert decrypt([NEW], encrypt([NEW], config)) == config


def test_an_encrypted_config_shows_nothing():
    assert b"very-private" not in encrypt([NEW], CONFIG)


def test_the_same_config_never_looks_the_same():
    assert encrypt([NEW], CONFIG) != encrypt([NEW], CONFIG)


def test_a_config_encrypted_with_an_older_key_is_decrypted():
    assert decrypt([NEW, OLD], encrypt([OLD], CONFIG)) == CONFIG


def test_the_first_key_encrypts():
    assert decrypt([NEW], encrypt([NEW, OLD], CONFIG)) == CONFIG


def test_a_reencrypted_config_no_longer_needs_the_older_key():
    assert decrypt([NEW], reencrypt([NEW, OLD], encrypt([OLD], CONFIG), ROW)) == CONFIG


@pytest.mark.parametrize("open_", [decrypt, partial(reencrypt, row=ROW)])
@pytest.mark.parametrize("blob", [encrypt([OLD], CONFIG), b"", b"\xff" * 100, encrypt([NEW], CONFIG)[:-8]])
def test_without_the_right_key_the_setting_is_named(open_, blob):
    with pytest.raises(Misconfigured, match="CRATEWIRE_SECRET_KEY"):
        open_([NEW], blob)


def test_encrypting_without_a_key_is_an_error():
    with pytest.raises(ValueError, match="no secret key"):
        encrypt([], CONFIG)


def test_can_decrypt_says_whether_a_key_fits():
    assert (can_decrypt([NEW, OLD], encrypt([OLD], CONFIG)), can_decrypt([NEW], encrypt([OLD], CONFIG))) == (
        True,
        False,
    )


def test_a_value_is_decrypted_for_the_row_that_it_was_encrypted_for():
    assert decrypt([NEW], encrypt([NEW], CONFIG, ROW), ROW) == CONFIG


@pytest.mark.parametrize("open_", [decrypt, reencrypt])
@pytest.mark.parametrize(
    "other", [RowIdentity("connections", 4, 1), RowIdentity("connections", 3, 2), RowIdentity("store_apis", 3, 1)]
)
def test_a_value_that_was_put_into_another_row_is_refused(open_, other):
    message = f"in {other} belongs to connections 3 of store 1: it was put into another row"
    with pytest.raises(Misconfigured, match=message):
        open_([NEW], encrypt([NEW], CONFIG, ROW), other)


def test_a_value_of_an_earlier_version_is_accepted_and_gets_its_row_when_it_is_encrypted_again():
    before = encrypt([NEW], CONFIG)
    assert decrypt([NEW], before, ROW) == CONFIG

    after = reencrypt([NEW], before, ROW)
    assert (names_its_row([NEW], before), names_its_row([NEW], after)) == (False, True)
    assert decrypt([NEW], after, ROW) == CONFIG


def test_a_row_is_kept_when_the_secret_key_changes():
    assert decrypt([NEW], reencrypt([NEW, OLD], encrypt([OLD], CONFIG, ROW), ROW), ROW) == CONFIG
