"""A hook as it lies in the inbox, and strange entries that must not stop it."""

from __future__ import annotations

import pytest

from pipeline.inbox.entry import InboxEntry, from_fields, to_fields
from tests.pipeline.inbox.hooks import hook


def there_and_back(given):
    fields = to_fields(given)
    return from_fields("1-0", dict(zip(fields[::2], fields[1::2], strict=True)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"raw": bytes(range(256))},
        {"query": ""},
        {"query": "a=%00&b=ü"},
        {"source": "replay"},
        {"version": 32_767, "received_at": 2**63 - 1},
    ],
    ids=repr,
)
def test_a_hook_comes_back_as_it_was(changes):
    given = hook(**changes)
    back = there_and_back(given)

    assert back == InboxEntry(**{name: getattr(given, name) for name in given.__dataclass_fields__}, entry_id="1-0")


@pytest.mark.parametrize("number", [b"", b"x", b"-1", b"1.5", b"32768", b"9" * 5000, "٣".encode()])
def test_a_version_that_no_token_can_have_is_read_as_0(number):
    assert from_fields("1-0", {b"v": number}).version == 0


@pytest.mark.parametrize("number", [b"soon", b"%d" % 2**63])
def test_a_time_that_no_clock_shows_is_read_as_0(number):
    assert from_fields("1-0", {b"t": number}).received_at == 0


def test_an_entry_without_a_receipt_has_its_id_as_receipt():
    assert from_fields("1-0", {}).receipt == "1-0"


def test_texts_hold_nothing_that_the_ledger_refuses():
    found = from_fields("1-0", {b"s": b"ac\0me", b"e": b"\xff", b"q": b"a=\0\xed\xa0\x80"})

    assert (found.store, found.event) == ("acme", "�")
    assert "\0" not in found.query
    assert found.query.encode()
