"""Keys as they are pasted, and where they may be sent."""

from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.credentials import BASE_URL, Credentials, parse_credentials


def test_keys_are_trimmed_and_the_address_is_cratejoys():
    keys = Credentials(" id\n", "\tsecret ")

    assert (keys.client_id, keys.client_secret, keys.base_url) == ("id", "secret", BASE_URL)


def test_the_header_is_basic_authorization():
    assert Credentials("id", "sécret").authorization == "Basic aWQ6c8OpY3JldA=="


def test_keys_are_kept_and_come_back():
    keys = Credentials("id", "secret", "http://127.0.0.1:8000/v1")

    assert parse_credentials(keys.as_config()) == keys


def test_no_repr_and_no_budget_name_shows_a_key():
    keys = Credentials("CLIENT", "SECRET")

    assert not any(key in text for key in ("CLIENT", "SECRET") for text in (repr(keys), keys.account))


def test_each_pair_of_keys_has_a_budget_of_its_own():
    names = {Credentials(*given).account for given in (("a", "x"), ("b", "x"), ("a", "x", "http://127.0.0.1:1/v1/"))}

    assert len(names) == 3


def test_a_new_secret_leaves_the_budget():
    assert Credentials("a", "x").account == Credentials("a", "y").account


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (("", ""), "client_id is missing; client_secret is missing"),
        (("id", " "), "client_secret is missing"),
        (("id:secret", "secret"), "colon"),
        (("id", "secret", "http://api.cratejoy.com/v1/"), "https"),
        (("id", "secret", "ftp://127.0.0.1/"), "https"),
        (("id", "secret", "api.cratejoy.com"), "not an https address"),
        (("id", "secret", "https://me@api.cratejoy.com/v1/"), "login"),
        (("id", "secret", "https://api.cratejoy.com/v1/?a=b"), "query"),
        (("id", "secret", "https://["), "malformed"),
        (("id", "secret", "https://host:port/"), "malformed"),
    ],
)
def test_faults_are_named(given, fault):
    with pytest.raises(Misconfigured, match=fault):
        Credentials(*given)
