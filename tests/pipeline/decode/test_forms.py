"""Which wire forms are read, and what comes out of each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import FrozenInstanceError

import pytest

from pipeline.decode import decode
from tests.pipeline.decode.written import FORMS, form_a, form_b

CUSTOMER = {
    "email": "dana.buyer@example.com",
    "id": 7093400011,
    "last_name": None,
    "name": "Dané Buyer",
    "note": 'He said "hi"\nbye \\ it\'s 🎁',
    "ratio": 0.25,
    "tags": [True, False, {"deep": []}],
    "type": "customer",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_wire_form_is_told_apart(form):
    assert decode(FORMS[form](CUSTOMER)).form == form


@pytest.mark.parametrize("form", FORMS)
def test_every_wire_form_gives_the_same_body(form):
    assert decode(FORMS[form](CUSTOMER)).body == CUSTOMER


@pytest.mark.parametrize("form", FORMS)
def test_the_fingerprint_is_that_of_the_canonical_body_whatever_the_form(form):
    canonical = json.dumps(CUSTOMER, sort_keys=True, separators=(",", ":")).encode()

    assert decode(FORMS[form](CUSTOMER)).fingerprint == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_up_to_four_strings_within_strings_are_unwrapped(layers):
    assert decode(form_a(CUSTOMER, layers)).body == CUSTOMER


def test_the_captured_spelling_of_form_a_is_read():
    raw = rb'"{\"id\": 7093400011, \"name\": \"Dan\\u00e9 Buyer\", \"note\": \"He said \\\"hi\\\"\\nbye\"}"'

    assert decode(raw).body == {"id": 7093400011, "name": "Dané Buyer", "note": 'He said "hi"\nbye'}


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        (rb"{\"a\": 1}", "C"),
        (rb"{ \"a\": 1 }", "C"),
        (rb"{\n  \"a\": 1\n}", "C"),
        (rb"{\\\"a\\\": 1}", "C"),
        (rb'"{\\\"a\\\": 1}"', "C"),
        (b"{'a': 1}", "D"),
        (b"\"{'a': 1}\"", "D"),
        (b"{u'a': 1L}", "D"),
        (b"{'a': 1,}", "D"),
        (b'{"a": 1,}', "D"),
        (b"'{\"a\": 1}'", "D"),
        (b"u'{\"a\": +1}'", "D"),
    ],
)
def test_a_layer_that_needs_the_rarer_reading_names_the_form(raw, form):
    decoded = decode(raw)

    assert (decoded.form, decoded.body) == (form, {"a": 1})


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b" \r\n\t", b"\0", b"\xef\xbb\xbf \0"])
@pytest.mark.parametrize("after", [b"", b"\n\n", b"\0\0", b" \0 \n"])
@pytest.mark.parametrize("form", FORMS)
def test_what_surrounds_a_body_means_nothing(form, before, after):
    assert decode(before + FORMS[form](CUSTOMER) + after).body == CUSTOMER


def test_a_byte_order_mark_within_the_string_means_nothing():
    assert decode(json.dumps("\ufeff" + json.dumps(CUSTOMER)).encode()).body == CUSTOMER


@pytest.mark.parametrize("raw", [b'{"a": "x\\u0000y"}', b'{"a": "x\0y"}', b"{'a': 'x\\x00y'}", b"{'a': 'x\\0y'}"])
def test_a_nul_within_a_text_is_kept_for_the_schemas(raw):
    assert decode(raw).body == {"a": "x\0y"}


def test_a_raw_line_break_within_a_text_is_read():
    assert decode(b'{"a": "x\ny"}').body == {"a": "x\ny"}


@pytest.mark.parametrize("raw", [b'{"a": 1, "a": 1}', b"{'a': [1, None], 'a': [1, None]}"])
def test_a_name_that_repeats_its_value_passes(raw):
    assert set(decode(raw).body) == {"a"}


def test_half_of_a_surrogate_pair_has_a_fingerprint_too():
    assert decode(rb'{"a": "\ud83d"}').body == {"a": "\ud83d"}


def test_the_same_body_in_another_order_and_spacing_has_the_same_fingerprint():
    shuffled = dict(reversed(CUSTOMER.items()))

    assert decode(form_b(shuffled)).fingerprint == decode(form_a(CUSTOMER)).fingerprint


def test_another_body_has_another_fingerprint():
    assert decode(form_b(CUSTOMER | {"id": "7093400011"})).fingerprint != decode(form_b(CUSTOMER)).fingerprint


def test_a_decoded_body_is_frozen():
    decoded = decode(b"{}")

    with pytest.raises(FrozenInstanceError):
        decoded.form = "A"
