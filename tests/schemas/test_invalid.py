"""What a refusal says, and what it must not say."""

import pickle

import pytest

from schemas import SCHEMA_NAMES, InvalidBody, load


@pytest.mark.parametrize("body", [None, [], "text", 5, True])
@pytest.mark.parametrize("name", sorted(SCHEMA_NAMES))
def test_a_body_that_is_no_object_is_refused(name, body):
    with pytest.raises(InvalidBody) as refused:
        load(name, body)

    assert (refused.value.errors, str(refused.value)) == ({"": ["is not an object"]}, "the body is not an object")


def test_all_errors_are_told_at_once():
    with pytest.raises(InvalidBody) as refused:
        load("order", {"id": "x", "total": "dear", "customer": {"name": []}})

    assert sorted(refused.value.errors) == ["customer.name", "id", "total"]


def test_a_refusal_says_paths_and_reasons_and_no_values():
    with pytest.raises(InvalidBody) as refused:
        load("order", {"id": "secret", "customer": {"name": ["secret"]}})

    assert str(refused.value) == "customer.name is not text; id is not an id"


def test_a_long_refusal_is_cut():
    with pytest.raises(InvalidBody) as refused:
        load("shipment", {"fulfillments": [{"id": "x"}] * 25})

    assert str(refused.value).endswith("; and 15 more")


def test_a_refusal_survives_pickling():
    refusal = InvalidBody({"id": ["is not an id"]})

    assert pickle.loads(pickle.dumps(refusal)).errors == refusal.errors  # noqa: S301  our own bytes


def test_an_unknown_schema_is_an_error_of_the_caller():
    with pytest.raises(KeyError):
        load("parcel", {})
