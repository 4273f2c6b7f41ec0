"""The body of a form is read as a query is."""

from __future__ import annotations

from urllib.parse import quote, quote_plus, urlencode

import pytest

from pipeline.core.errors import BadHook
from pipeline.decode import decode
from pipeline.decode.limits import MAX_VALUES

HOOK = '{"id": 17, "name": "a = b & c"}'


@pytest.mark.parametrize(
    "body",
    [
        urlencode({"payload": HOOK}),
        urlencode({"data": HOOK}) + "\r\n",
        urlencode({"order[json]": HOOK}),
        quote(HOOK),
        quote_plus(HOOK),
        quote(HOOK).replace("%7B", "%7b"),
    ],
)
def test_a_form_that_holds_an_object_is_that_object(body):
    decoded = decode(body.encode())

    assert (decoded.form, decoded.body) == ("form", {"id": 17, "name": "a = b & c"})
    assert decoded.fingerprint == decode(HOOK.encode()).fingerprint


@pytest.mark.parametrize(
    ("body", "read"), [(b"a=1&b=x", {"a": "1", "b": "x"}), (b"id=17", {"id": "17"}), (b"_b=%C3%A9+x", {"_b": "é x"})]
)
def test_the_fields_of_a_form_become_an_object_of_texts(body, read):
    assert (decode(body).form, decode(body).body) == ("form", read)


def test_json_that_was_called_a_form_is_json():
    assert decode(HOOK.encode()).form == "B"


def test_a_form_of_more_fields_than_any_hook_has_is_refused():
    with pytest.raises(BadHook) as refused:
        decode(b"a=1&" * MAX_VALUES + b"b=2")

    assert refused.value.reason == "too_many_values"


def test_a_body_of_a_form_that_is_not_utf_8_is_refused():
    with pytest.raises(BadHook) as refused:
        decode(b"a=%ff")

    assert refused.value.reason == "bad_utf8"
