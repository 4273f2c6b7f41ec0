from __future__ import annotations

import json

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.destinations.http.document import MAX_DOCUMENT_BYTES, parse_document

FIELDS = {
    "account": "acme",
    "api_key": "key",
    "api_key_2": "",
    "api_key_3": "",
    "hook_url": "https://hooks.example.com/x",
}
SMALL = {
    "check": {"url": "https://api.example.com/me"},
    "event": {"url": "https://api.example.com/events", "body": {"name": "event"}},
    "forget": "unable",
}


def parse(**changed):
    return parse_document(json.dumps(SMALL | changed), FIELDS)


def test_a_document_may_be_toml_or_json():
    toml = (
        'forget = "unable"\n[check]\nurl = "https://api.example.com/me"\n'
        '[event]\nurl = "https://api.example.com/events"\nbody = { name = "event" }\n'
    )

    assert parse_document(toml, FIELDS) == parse()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"event": {"url": "https://api.example.com", "body": {"a": {"b": ["x.y"]}}}},
            r"event\.body\.a\.b\[0\]: undeclared",
        ),
        ({"event": {"url": "https://api.example.com", "when": "1 +"}}, r"event\.when: Syntax error"),
        ({"event": {"url": "https://api.example.com/${nope}"}}, r"event\.url: undeclared reference to 'nope'"),
        ({"event": {"url": "https://api.example.com/${attributes.x}"}}, r"event\.url: undeclared reference"),
        ({"event": {"url": "http://api.example.com"}}, r"event\.url: must be an https address"),
        ({"event": {"url": "https://${event}.example.com/"}}, r"event\.url: must be an https address"),
        ({"event": {"url": "https://user:x@api.example.com/"}}, r"event\.url: must be an https address"),
        ({"event": {"url": "https://api.example.com/{{api_key}}"}}, r"event\.url: \{\{api_key\}\} cannot stand here"),
        ({"event": {}}, r"event\.url: is missing"),
        ({"event": {"url": "https://api.example.com", "method": "HEAD"}}, r"event\.method: must be one of GET"),
        (
            {"event": {"url": "https://api.example.com", "hedaers": {}}},
            r"event\.hedaers: is unknown; there are: method",
        ),
        (
            {"event": {"url": "https://api.example.com", "encoding": "form"}},
            r"event\.body: of a form must be an object",
        ),
        ({"event": {"url": "https://api.example.com", "each": "email"}}, r"event\.each: is unknown"),
        ({"event": []}, "event: must be an object"),
        ({"headers": {"X-Api-Key": "abc"}}, r"headers\.X-Api-Key: a key is not part of the document"),
        ({"headers": {"X Y": "abc"}}, r"headers\.X Y: is not the name of a header"),
        ({"headers": {"X-Y": "a\nb"}}, r"headers\.X-Y: has characters"),
        ({"headers": {"X-Y": "{{secret}}"}}, r"headers\.X-Y: \{\{secret\}\} cannot stand here"),
        ({"basic_auth": "me:secret"}, "basic_auth: must be a user and a password"),
        ({"answers": {"again": ["5xx"]}}, r"answers\.again: must be a list of statuses and ranges"),
        ({"answers": {"success_when": "answer.x = 1"}}, r"answers\.success_when: Syntax error"),
        ({"calls_per_second": 0}, "calls_per_second: must be a whole number from 1 to 100"),
        ({"forget": None}, "forget: must be an object"),
        ({"nope": 1}, "nope: is unknown; there are: title"),
        ({"event": {"url": "https://api.example.com", "body": ["1"] * 501}}, "at most 500 expressions"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changed, fault):
    with pytest.raises(Misconfigured, match=f"^config: .*{fault}"):
        parse(**changed)


@pytest.mark.parametrize(
    ("missing", "fault"),
    [("check", "check: a request that changes nothing"), ("event", "neither a request"), ("forget", "forget: say how")],
)
def test_what_is_missing_is_named(missing, fault):
    with pytest.raises(Misconfigured, match=fault):
        parse_document(json.dumps({key: value for key, value in SMALL.items() if key != missing}), FIELDS)


def test_a_field_that_the_document_uses_and_that_is_empty_is_named_first():
    with pytest.raises(Misconfigured, match="api_key_2 is missing"):
        parse(headers={"X-Y": "{{api_key_2}}"})


def test_every_fault_is_named_at_once():
    with pytest.raises(Misconfigured, match=r"event\.body\.name.*event\.when"):
        parse(event={"url": "https://api.example.com", "when": "x", "body": {"name": "y"}})


@pytest.mark.parametrize("text", ["[", "{", "x", "[1]", "\x00", "[" * 50_000, "{" * 50_000])
def test_what_is_neither_toml_nor_json_is_refused(text):
    with pytest.raises(Misconfigured, match="config"):
        parse_document(text, FIELDS)


@pytest.mark.parametrize("depth", [900, 20_000])
def test_a_document_that_is_nested_too_deeply_is_refused(depth):
    body = "[" * depth + "1" + "]" * depth
    text = json.dumps(SMALL | {"event": {"url": "https://api.example.com", "body": 0}}).replace(": 0}", f": {body}}}")

    with pytest.raises(Misconfigured, match="config"):
        parse_document(text, FIELDS)


def test_a_document_that_is_too_long_is_refused():
    with pytest.raises(Misconfigured, match="at most 64000 bytes"):
        parse_document("#" * (MAX_DOCUMENT_BYTES + 1), FIELDS)


def test_the_error_of_a_document_holds_no_key():
    with pytest.raises(Misconfigured) as caught:
        parse_document(
            json.dumps(SMALL | {"headers": {"X-Y": "{{api_key}}\u00e9"}}), {**FIELDS, "api_key": "top-secret"}
        )

    assert "top-secret" not in str(caught.value)


def test_the_repr_of_a_document_holds_no_key():
    document = parse(headers={"Authorization": "Bearer {{api_key}}"})

    assert "key" not in repr(document.check)
