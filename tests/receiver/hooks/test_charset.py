"""A body that is not UTF-8, and whose Content-Type names its encoding, is stored as UTF-8."""

from __future__ import annotations

import pytest

from tests.receiver.hook_servers import MAX_BYTES

TEXT = '{"name": "Zoë Müller"}'


def hooks(client, body, kind):
    assert client.send(body=body, CONTENT_TYPE=kind).status == 200
    return client.sink.hooks[0].raw


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=iso-8859-1",
        "application/json;charset=ISO-8859-1",
        'application/json; charset="latin1"',
        "text/plain; format=flowed; charset = windows-1252; more=1",
        "application/json; charset=iso-8859-15",
    ],
)
def test_a_body_is_read_in_the_encoding_that_is_named(client, kind):
    assert hooks(client, TEXT.encode("latin-1"), kind) == TEXT.encode()


def test_latin_1_means_windows_1252_as_it_does_in_browsers(client):
    assert hooks(client, b'{"price": "\x80 5"}', "application/json; charset=iso-8859-1") == '{"price": "€ 5"}'.encode()


def test_another_alphabet_is_read_by_its_name(client):
    assert hooks(client, "Ольга".encode("cp1251"), "text/plain; charset=windows-1251") == "Ольга".encode()


def test_what_is_utf_8_stays_as_it_is_whatever_is_named(client):
    assert hooks(client, TEXT.encode(), "application/json; charset=iso-8859-1") == TEXT.encode()


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=",
        "application/json; charset=idna",
        "application/json; charset=unicode_escape",
        "application/json; charset=klingon",
        "application/json; mycharset=iso-8859-1",
    ],
)
def test_what_is_no_utf_8_and_has_no_known_encoding_keeps_its_bytes(client, kind):
    assert hooks(client, TEXT.encode("latin-1"), kind) == TEXT.encode("latin-1")


def test_a_body_that_is_not_what_is_named_keeps_its_bytes(client):
    assert hooks(client, b'{"a": "\x81"}', "application/json; charset=windows-1252") == b'{"a": "\x81"}'


def test_a_body_that_would_be_too_large_as_utf_8_keeps_its_bytes(client):
    body = b"\xe9" * (MAX_BYTES - 1)

    assert hooks(client, body, "text/plain; charset=iso-8859-1") == body
