"""Secrets of a rejected form are remembered, and never shown."""

from __future__ import annotations

import re

from tests.receiver.pages.connect.forms import errors_on, send

SECRETS = ("client_secret", "customerio-api_key", "password")


def test_no_secret_is_shown_again(house, filled_in):
    page = send(house.visitor(), filled_in | {"currency": "Euro"})

    assert [name for name in SECRETS if filled_in[name] in page] == []


def test_secrets_need_not_be_typed_again(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in | {"currency": "Euro"})
    visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert visitor.where == "/connected"


def test_a_secret_that_was_refused_is_typed_again(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in | {"client_secret": "another"})
    page = visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert list(errors_on(page)) == ["client_secret"]


def test_a_secret_is_remembered_for_the_browser_it_was_entered_in(house, filled_in):
    page = send(house.visitor(), filled_in | {"currency": "Euro"})
    kept = re.search(r'name="kept"[^>]*value="([^"]+)"', page)[1]

    page = send(house.visitor(), filled_in | dict.fromkeys(SECRETS, "") | {"kept": kept})

    assert sorted(errors_on(page)) == sorted(SECRETS)


def test_a_secret_is_remembered_for_an_hour(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in | {"currency": "Euro"})
    house.clock[0] += 3_600_000_001
    page = visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert sorted(errors_on(page)) == sorted(SECRETS)
