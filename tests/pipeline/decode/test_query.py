"""GET hooks: the body is empty, the query string is the body."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode import decode
from pipeline.decode.query import read_query


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("a=1&b=x", {"a": "1", "b": "x"}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("name=Dan%C3%A9+Buyer", {"name": "Dané Buyer"}),
        ("id=17", {"id": "17"}),
        ("a=1&a=1", {"a": "1"}),
        ("flag", {"flag": ""}),
        ("customer={{ customer.email }}", {"customer": "{{ customer.email }}"}),
        ("list=[1]", {"list": "[1]"}),
        ("note=%7B+not+json", {"note": "{ not json"}),
    ],
)
def test_parameters_become_an_object_of_texts(query, body):
    decoded = decode(b"", query)

    assert (decoded.form, decoded.body) == ("query", body)


@pytest.mark.parametrize(
    "query",
    [
        urlencode({"payload": '{"id": 17, "a": null}'}),
        urlencode({"payload": r'"{\"id\": 17, \"a\": null}"'}),
        urlencode({'{"id": 17, "a": null}': ""}),
    ],
)
def test_a_single_parameter_that_holds_an_object_is_that_object(query):
    decoded = decode(b"", query)

    assert (decoded.form, decoded.body) == ("query", {"id": 17, "a": None})


def test_two_parameters_that_hold_objects_stay_texts():
    assert decode(b"", urlencode({"a": "{}", "b": "{}"})).body == {"a": "{}", "b": "{}"}


def test_the_fingerprint_of_an_embedded_object_is_that_of_the_object():
    assert decode(b"", urlencode({"p": '{"id": 17}'})).fingerprint == decode(b'{"id":17}').fingerprint


@pytest.mark.parametrize("raw", [b"", b" \n", b"\xef\xbb\xbf"])
def test_the_query_counts_when_there_is_no_body(raw):
    assert decode(raw, "a=1").body == {"a": "1"}


def test_a_body_counts_more_than_a_query():
    assert decode(b'{"a": 2}', "a=1").body == {"a": 2}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "empty"),
        ("&&", "empty"),
        ("a=1&a=2", "duplicate_key"),
        ("a=%FF", "bad_utf8"),
        (urlencode({"a": '{"b": NaN}'}), "not_a_number"),
        (urlencode({"a": "[" * 2000}), "too_deep"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query, reason):
    with pytest.raises(BadHook, match=reason):
        decode(b"", query)


def refusal(query):
    with pytest.raises(BadHook) as refused:
        read_query(query)
    return refused.value.reason, refused.value.detail


def test_a_hundred_thousand_parameters_are_read_and_one_more_is_refused():
    assert len(read_query("&".join(f"a{number}=1" for number in range(100_000)))) == 100_000
    assert refusal("&".join(["a=1"] * 100_001)) == ("too_many_values", {"limit": 100_000})


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("%7B%22a%22%3A1%7D", {"a": 1}),
        ("x=%7B%22a%22%3A1%7D", {"a": 1}),
        ("%7B%22a%22%3A1%7D=text", {'{"a":1}': "text"}),
        ("a=", {"a": ""}),
        ("a=%22%22", {"a": '""'}),
        ("a=1&a=1&b=", {"a": "1", "b": ""}),
    ],
)
def test_the_value_of_a_single_parameter_counts_before_its_name(query, body):
    assert read_query(query) == body


@pytest.mark.parametrize(
    ("query", "refused"),
    [("", ("empty", {})), ("a=%FF", ("bad_utf8", {})), ("a=%FF&b=1", ("bad_utf8", {}))],
)
def test_a_refused_query_has_its_reason_and_no_content(query, refused):
    assert refusal(query) == refused
