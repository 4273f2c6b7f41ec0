"""Whatever the bytes: a body or BadHook, nothing else. Whatever the body: every form reads back the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import BadHook
from pipeline.decode import Decoded, Reason, decode
from tests.pipeline.decode.wire_forms import FORMS

UNHURRIED = settings(deadline=None, max_examples=60)  # a busy machine is no fault
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
BODIES = st.dictionaries(st.text(max_size=10), VALUES, max_size=6)
PIECES = st.sampled_from(
    [
        *"{}[]()\"'\\,:",
        "\\u",
        "\\x",
        "u'",
        "null",
        "None",
        "NaN",
        "nan",
        "1e309",
        "9" * 200,
        "-",
        ".",
        "\0",
        "\ufeff",
        "é",
    ]
)


def outcome_of(raw, query=None):
    """Decoded, or the reason of the refusal. Anything else raised fails the test."""
    try:
        return decode(raw, query)
    except BadHook as refused:
        return Reason(refused.reason)


@UNHURRIED
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw):
    assert isinstance(outcome_of(raw), Decoded | Reason)


@UNHURRIED
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_heap_of_brackets_and_quotes_is_read_or_refused(text):
    assert isinstance(outcome_of(text.encode()), Decoded | Reason)


@UNHURRIED
@given(st.text(max_size=100) | st.lists(PIECES | st.sampled_from("=&%+"), max_size=20).map("".join))
def test_any_query_is_read_or_refused(query):
    assert isinstance(outcome_of(b"", query), Decoded | Reason)


@pytest.mark.parametrize("form", FORMS)
@UNHURRIED
@given(body=BODIES)
def test_any_object_reads_back_from_every_form(form, body):
    assert decode(FORMS[form](body)).body == body


@UNHURRIED
@given(body=BODIES)
def test_any_object_has_one_fingerprint_in_all_forms(body):
    assert len({decode(write(body)).fingerprint for write in FORMS.values()}) == 1


@UNHURRIED
@given(body=BODIES)
def test_what_was_read_can_be_written_again(body):
    read = decode(FORMS["A"](body)).body

    assert decode(FORMS["B"](read)).fingerprint == decode(FORMS["A"](body)).fingerprint


@pytest.mark.parametrize("form", FORMS)
@UNHURRIED
@given(body=BODIES, data=st.data())
def test_a_truncated_body_is_read_or_refused(form, body, data):
    raw = FORMS[form](body)
    cut = data.draw(st.integers(0, len(raw)))

    assert isinstance(outcome_of(raw[:cut]), Decoded | Reason)


@pytest.mark.parametrize("form", FORMS)
@UNHURRIED
@given(body=BODIES, data=st.data())
def test_a_truncated_body_is_never_taken_for_another(form, body, data):
    """A chunked body that breaks off reaches us like one that ended."""
    raw = FORMS[form](body)
    cut = data.draw(st.integers(0, len(raw) - 1))

    assert isinstance(outcome_of(raw[:cut]), Reason)


@pytest.mark.parametrize("form", FORMS)
@UNHURRIED
@given(body=BODIES, data=st.data())
def test_a_body_with_a_flipped_bit_is_read_or_refused(form, body, data):
    raw = bytearray(FORMS[form](body))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    assert isinstance(outcome_of(bytes(raw)), Decoded | Reason)


@UNHURRIED
@given(body=BODIES, depth=st.integers(1, 200), form=st.sampled_from(sorted(FORMS)))
def test_a_nested_body_is_read_or_too_deep(body, depth, form):
    value = body
    for _ in range(depth):
        value = {"a'": [value]}

    assert isinstance(outcome_of(FORMS[form](value)), Decoded | Reason)


@pytest.mark.parametrize(
    "unit",
    [b"[", b"{'", b'"', b"\\", b'\\"', b"'\\", b"{'a':1,", b'{"a":', b"9", b"(", b" ", b"\0", b"u'", b"1e", b"[[],"],
)
def test_a_large_heap_of_one_thing_costs_linear_time(unit):
    """The session's timeout is the bound: quadratic reading would take hours."""
    assert isinstance(outcome_of(b"{" + unit * (1_000_000 // len(unit))), Reason)


@pytest.mark.parametrize("unit", [b'\\"', b"\\\\", b"{'a': '", b"\\u0041"])
def test_a_large_literal_costs_linear_time(unit):
    assert isinstance(outcome_of(b"{'a': '" + unit * (1_000_000 // len(unit))), Reason)
