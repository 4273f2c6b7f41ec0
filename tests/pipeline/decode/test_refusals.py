"""What is refused, with which reason, and that a refusal reveals nothing of the content."""

from __future__ import annotations

import inspect
import json
import sys

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode import REASON_SENTENCES, Reason, decode
from tests.pipeline.decode.wire_forms import FORMS, form_a


def reason_of(raw, query=None, **limits):
    with pytest.raises(BadHook) as refused:
        decode(raw, query, **limits)
    return refused.value.reason


def nested(depth):
    """A body of so many objects within each other."""
    body = {}
    for _ in range(depth - 1):
        body = {"a": body}
    return body


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \0\r\n", Reason.EMPTY),
        (b"\xef\xbb\xbf", Reason.EMPTY),
        (b'""', Reason.EMPTY),
        (b'" \\ufeff"', Reason.EMPTY),
        (b"\xff\xfe{\0}\0", Reason.WRONG_ENCODING),
        (b"\xfe\xff\0{\0}", Reason.WRONG_ENCODING),
        (b"\xff\xfe\0\0{\0\0\0}\0\0\0", Reason.WRONG_ENCODING),
        (b"\0\0\xfe\xff\0\0\0{\0\0\0}", Reason.WRONG_ENCODING),
        (b'{"a": "\xff"}', Reason.BAD_UTF8),
        (b'{"a": "\xed\xa0\xbd"}', Reason.BAD_UTF8),
        (b'{"a": "\xc3', Reason.BAD_UTF8),
        (b"<!DOCTYPE html><html></html>", Reason.NOT_JSON),
        (b'"<html>"', Reason.NOT_JSON),
        (b"hello", Reason.NOT_JSON),
        (b"a: 1; b: 2", Reason.NOT_JSON),
        (b'{"a": 1', Reason.NOT_JSON),
        (b'{"a": 1}{"b": 2}', Reason.NOT_JSON),
        (b'{"a" 1}', Reason.NOT_JSON),
        (b"{\\", Reason.NOT_JSON),
        (b'{\\"a\\": 1}\\', Reason.NOT_JSON),
        (b'{"a": NaN}', Reason.NOT_A_NUMBER),
        (b'{"a": [-Infinity]}', Reason.NOT_A_NUMBER),
        (b'{"a": 1e309}', Reason.NOT_A_NUMBER),
        (b"[1, 2]", Reason.NOT_AN_OBJECT),
        (b'[{"a": 1}]', Reason.NOT_AN_OBJECT),
        (rb"[{\"a\": 1}]", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"true", Reason.NOT_AN_OBJECT),
        (b"17", Reason.NOT_AN_OBJECT),
        (b'"17"', Reason.NOT_AN_OBJECT),
    ],
)
def test_each_kind_of_rubbish_has_its_reason(raw, reason):
    assert reason_of(raw) == reason


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "a": true}',
        b'{"a": 1, "a": 1.0}',
        b'{"b": {"a": 1, "a": null}}',
        b'{"a": 1, "a": 2, "a": 1}',
        b"{'a': 1, 'a': 2}",
        form_a({})[:-1].replace(b"{}", rb"{\"a\": 1, \"a\": 2}") + b'"',
    ],
)
def test_a_name_for_two_values_is_refused(raw):
    assert reason_of(raw) == Reason.DUPLICATE_KEY


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1.5, "a": 1.5}',
        b'{"a": {"b": [1, null]}, "a": {"b": [1, null]}}',
        b'{"a": {"b": 1, "c": 2}, "a": {"c": 2, "b": 1}}',
        b"{'a': (1, 2), 'a': [1, 2]}",
    ],
)
def test_a_name_that_stands_twice_for_one_value_is_read(raw):
    assert list(decode(raw).body) == ["a"]


@pytest.mark.parametrize(
    "raw", [b'{"a": {"b": 1}, "a": {"b": true}}', b'{"a": [1, 2], "a": [1]}', b'{"a": 0.0, "a": -0.0}']
)
def test_two_values_that_differ_inside_are_two(raw):
    assert reason_of(raw) == Reason.DUPLICATE_KEY


@pytest.mark.parametrize("value", ["1", "{}", "[]", "null", "1.5"])
@pytest.mark.parametrize("body", ['{"a": [%s]}', "{'a': (%s)}", '"{\\"a\\": [%s]}"', '{\\"a\\": [%s]}'])
def test_more_than_a_hundred_thousand_values_are_too_many(body, value):
    assert reason_of((body % ",".join([value] * 100_001)).encode()) == Reason.TOO_MANY_VALUES


def test_a_hundred_thousand_values_are_read():
    assert len(decode(b'{"a": [%s]}' % b",".join([b"1"] * 99_998)).body["a"]) == 99_998


def test_what_stands_in_a_text_is_no_value():
    assert decode(json.dumps({"a": '[{,"' * 100_000}).encode()).body == {"a": '[{,"' * 100_000}


@pytest.mark.parametrize("form", FORMS)
def test_64_levels_are_read(form):
    assert decode(FORMS[form](nested(64) | {"x": "x"})).body["x"] == "x"


@pytest.mark.parametrize("form", FORMS)
def test_65_levels_are_too_deep(form):
    assert reason_of(FORMS[form](nested(65) | {"x": "x"})) == Reason.TOO_DEEP


@pytest.mark.parametrize("opener", [b"[", b'{"a":', b"{'a':", b"(", b'{"a":[{'])
def test_a_hundred_thousand_levels_are_too_deep_and_break_nothing(opener):
    assert reason_of(opener * 100_000) in {Reason.TOO_DEEP, Reason.TOO_MANY_VALUES, Reason.NOT_JSON}


def test_inner_levels_are_as_deep_as_outer_ones_may_be():
    assert reason_of(json.dumps("[" * 100_000).encode()) == Reason.TOO_DEEP


def test_every_depth_between_our_bound_and_pythons_is_too_deep():
    """Reader and writer give up at slightly different depths; none of them may show."""
    reasons = {reason_of(b'{"a":' * depth + b"1" + b"}" * depth) for depth in (*range(65, 800, 7), *range(800, 1200))}

    assert reasons == {Reason.TOO_DEEP}


def test_a_caller_deep_in_the_stack_still_gets_a_refusal():
    def from_below(raw, frames):
        return from_below(raw, frames - 1) if frames else reason_of(raw)

    room = sys.getrecursionlimit() - len(inspect.stack())

    assert from_below(b"{'a':" * 64 + b"1" + b"}" * 64, room - 150) == Reason.TOO_DEEP


def test_many_objects_side_by_side_are_not_deep():
    assert decode(json.dumps({"a": [{"b": []}] * 500}).encode()).body["a"][499] == {"b": []}


@pytest.mark.parametrize("digits", [101, 4301, 100_000])
@pytest.mark.parametrize("body", ['{"a": %s}', '{"a": [{"b": -%s}]}', '{"a": "x", "b": [%s, null]}', "{'a': %s}"])
def test_a_whole_number_of_more_than_a_hundred_digits_is_too_long(body, digits):
    assert reason_of((body % ("9" * digits)).encode()) == Reason.NUMBER_TOO_LONG


def test_a_whole_number_of_a_hundred_digits_is_read():
    assert decode(b'{"a": ' + b"9" * 100 + b"}").body == {"a": 10**100 - 1}


def test_a_text_may_have_as_many_digits_as_it_likes():
    assert decode(b'{"a": [{"b": "' + b"9" * 5000 + b'"}]}').body["a"][0]["b"] == "9" * 5000


def test_five_strings_within_strings_are_too_many():
    assert reason_of(form_a({"a": 1}, 5)) == Reason.TOO_MANY_LAYERS


def test_a_body_above_the_bound_is_too_large():
    assert reason_of(b'{"a": 1}', max_bytes=7) == Reason.TOO_LARGE


def test_a_body_at_the_bound_is_read():
    assert decode(b'{"a": 1}', max_bytes=8).body == {"a": 1}


def test_a_query_above_the_bound_is_too_large():
    assert reason_of(b"", "a=12345", max_bytes=6) == Reason.TOO_LARGE


@pytest.mark.parametrize(
    "raw",
    [b"secret", b'{"secret": secret}', b'{"a": "secret', b"{'secret': secret}", b'"secret"', b'{"a": "secret\xff"}'],
)
def test_a_refusal_carries_nothing_of_the_content(raw):
    with pytest.raises(BadHook) as refused:
        decode(raw)

    assert "secret" not in repr((refused.value.args, refused.value.detail))


@pytest.mark.parametrize("raw", [b"secret", b"{'secret': secret}", b'{"secret": 1e309}'])
def test_a_refusal_drags_no_cause_with_the_content_into_a_trace(raw):
    with pytest.raises(BadHook) as refused:
        decode(raw)

    seen, error = [], refused.value
    while error is not None:
        seen.append(repr(vars(error)) + str(error))
        error = error.__context__ if not error.__suppress_context__ else error.__cause__
    assert "secret" not in "".join(seen)


def test_a_refusal_is_made_of_plain_json():
    with pytest.raises(BadHook) as refused:
        decode(b'{"a": ')

    reason, detail = refused.value.reason, refused.value.detail
    assert (type(reason), json.loads(json.dumps(detail))) == (str, {"at": 5, "length": 5, "layer": 0})


def test_every_reason_has_its_sentence():
    assert set(REASON_SENTENCES) == set(Reason)
