"""The quick reader says what the strict one says, or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import BadHook
from pipeline.decode import decode
from pipeline.decode.fast_json import FastJson, read_fast_json
from pipeline.decode.limits import to_canonical_json
from pipeline.decode.strict_json import NotJSONError, read_json
from tests.pipeline.decode.test_properties import BODIES, PIECES, UNHURRIED

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.integers(2**62, 2**66)
NAMES = st.sampled_from(["a", "b", "\\u0022", '\\"', "\\u0061"])
UNQUIET = st.sampled_from(['"', "\\", "\x7f", "\n", "é", "\U0001f381", "\\u0022", "1e-5", "0.00001"])


def strict(text):
    """What the strict reader makes of a text; its refusal, if it refuses."""
    try:
        return read_json(text)
    except (NotJSONError, BadHook) as refused:
        return type(refused)


def spelled(value):
    """A value as text in which 1, 1.0 and true differ, and the order of names shows."""
    return json.dumps(value)


def assert_read_and_written_alike(text):
    quick = read_fast_json(text)
    if isinstance(quick, FastJson):
        assert spelled(quick.body) == spelled(strict(text))
        assert quick.text in (None, to_canonical_json(quick.body))
    elif quick is not None:
        assert quick == strict(text)


@UNHURRIED
@given(body=BODIES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_any_object_is_read_and_written_alike(body, ascii_only, indent):
    assert_read_and_written_alike(json.dumps(body, ensure_ascii=ascii_only, indent=indent))


@UNHURRIED
@given(st.dictionaries(st.text(max_size=3), NUMBERS | st.lists(UNQUIET).map("".join)))
def test_any_number_and_any_sign_is_read_and_written_alike(body):
    assert_read_and_written_alike(json.dumps(body))


@UNHURRIED
@given(st.lists(PIECES | UNQUIET, max_size=20).map("".join))
def test_any_heap_is_read_alike(text):
    assert_read_and_written_alike(text)
    assert_read_and_written_alike(f'{{"a":"{text}"}}')


@UNHURRIED
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "\\u0022", '\\"', "\\u0061"]), st.sampled_from('1{["')), max_size=4)
)
def test_any_repeated_name_is_seen(pairs):
    values = {"1": "1", "{": '{"a":1,"a":1.0}', "[": '["\\u0022"]', '"': '"\\u0022\\u0022"'}

    assert_read_and_written_alike("{" + ",".join(f'"{name}":{values[kind]}' for name, kind in pairs) + "}")


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"a":1}',
        '{"a":{"b":"x","b":"x"},"note":"\\u0022\\u0022\\u0022\\u0022"}',
        '{"a":18446744073709551616}',
        '{"a":-9223372036854775809}',
        '{"a":1e309}',
        '{"a":1e-5}',
        '{"a":0.00001234}',
        '{"a":1e16}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":"\\ud83d"}',
        '{"a":"line\nline"}',
        "[]",
        "1",
        "null",
        "{'a': 1}",
        "[" * 2000,
    ],
)
def test_what_might_be_read_otherwise_is_left_to_the_strict_reader(text):
    assert read_fast_json(text) is None


def test_what_the_store_sends_is_read_quickly():
    assert read_fast_json(' {"b": "x\\"y", "a": [1, 2.5, null, true]} ') == FastJson(
        {"b": 'x"y', "a": [1, 2.5, None, True]}, b'{"a":[1,2.5,null,true],"b":"x\\"y"}'
    )


@pytest.mark.parametrize("sign", ["é", "\x7f", "\U0001f381"])
def test_what_is_not_ascii_keeps_its_fingerprint(sign):
    body = {"a": sign}

    assert decode(json.dumps(body, ensure_ascii=False).encode()).fingerprint == decode(repr(body).encode()).fingerprint
