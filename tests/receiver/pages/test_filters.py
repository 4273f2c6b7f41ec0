"""Reasons on pages name no HTTP requests, and platforms by their titles."""

from __future__ import annotations

import pytest

from receiver.pages.filters import platform, sentence

SAID = {
    "GET customers: connection refused": "Cratejoy cannot be reached: connection refused.",
    "orders: GET orders: answered 500": "Cratejoy answered 500.",
    "GET orders: answered 503; GET customers: answered 503": "Cratejoy answered 503.",
    "Cratejoy refused the Client ID and Secret (401); GET hooks: answered 401": (
        "Cratejoy refused the Client ID and Secret (401)."
    ),
    "GET customers: the store asks us to wait for 251 s": (
        "Cratejoy cannot be reached: the store asks us to wait for 251 s."
    ),
    "the keys were refused": "The keys were refused.",
}


@pytest.mark.parametrize("text", SAID)
def test_a_reason_is_a_sentence_for_people_who_know_no_requests(text):
    assert sentence(text) == SAID[text]


def test_a_platform_is_named_as_people_write_it():
    assert (platform("customerio"), platform("unknown")) == ("Customer.io", "unknown")
