"""The bytes of a hook without a person, and the people in bytes that no schema has loaded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.catalogue import get_event_row
from pipeline.redaction.body import Redaction
from pipeline.redaction.identity import Identity
from pipeline.redaction.raw_body import list_raw_keys, redact_raw
from pipeline.redaction.text import find_addresses, list_views
from tests.builders import BUYER, RECIPIENT, customer, gift_order

WHO = Identity(frozenset({RECIPIENT}))
MENTION = Redaction("mention", WHO)
spellings = st.sampled_from(
    [RECIPIENT, RECIPIENT.upper(), f"Rory <{RECIPIENT}>", f"write to {RECIPIENT}!", f"mailto:{RECIPIENT}"]
)
texts = spellings | st.text(max_size=8)
trees = st.recursive(
    texts | st.none() | st.booleans() | st.integers(-(2**53), 2**53),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(tree=trees)
def test_no_body_keeps_an_address_wherever_it_stands(tree):
    left = redact_raw((json.dumps({"x": tree}).encode(), None), [MENTION])

    assert RECIPIENT not in find_addresses(list_views(left))


@pytest.mark.parametrize(
    "raw",
    [b"{", b"\xff", b'{"n": "\\ud800", "to": "rory.receiver@example.com"}', b'{"n": 123456789012345678901234567890}'],
)
def test_what_cannot_be_written_again_is_emptied(raw):
    assert redact_raw((raw, None), [MENTION]) == b""


@pytest.mark.parametrize(
    ("event", "body", "keys"),
    [
        ("customer_new", customer(), {("email", BUYER["email"]), ("customer", "7001")}),
        ("order_new", gift_order(), {("email", BUYER["email"]), ("email", RECIPIENT), ("customer", "7001")}),
        ("order_new", {"customer_id": 5}, {("customer", "5")}),
        ("transaction_new", {"order": {"customer_id": "5"}}, {("customer", "5")}),
        ("order_new", {"customer_id": "x"}, set()),
    ],
)
def test_the_people_in_a_body_are_found_without_a_schema(event, body, keys):
    assert set(list_raw_keys(get_event_row(event), (json.dumps(body).encode(), None))) == keys
