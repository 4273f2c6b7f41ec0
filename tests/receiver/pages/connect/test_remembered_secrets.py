"""Secrets of a rejected form are remembered, and never shown."""

from __future__ import annotations

import re

from tests.receiver.pages.connect.forms import errors_on, send

SECRETS = ("client_secret", "customerio-api_key", "password")


def test_no_secret_is_shown_again(pages, filled_in):
    page = send(pages.visitor(), filled_in | {"currency": "Euro"})

    assert [name for name in SECRETS if filled_in[name] in page] == []


def test_secrets_need_not_be_typed_again(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in | {"currency": "Euro"})
    visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert visitor.where == "/connected"


def test_a_secret_that_was_refused_is_typed_again(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in | {"client_secret": "another"})
    page = visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert list(errors_on(page)) == ["client_secret"]


def test_a_secret_is_remembered_for_the_browser_it_was_entered_in(pages, filled_in):
    page = send(pages.visitor(), filled_in | {"currency": "Euro"})
    kept = re.search(r'name="kept"[^>]*value="([^"]+)"', page)[1]

    page = send(pages.visitor(), filled_in | dict.fromkeys(SECRETS, "") | {"kept": kept})

    assert sorted(errors_on(page)) == sorted(SECRETS)


def test_a_secret_is_remembered_for_an_hour(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in | {"currency": "Euro"})
    pages.clock[0] += 3_600_000_001
    page = visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert sorted(errors_on(page)) == sorted(SECRETS)
