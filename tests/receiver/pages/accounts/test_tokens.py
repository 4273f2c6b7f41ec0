"""Tokens of the API, on the account's page."""

from __future__ import annotations

import re

import pytest

from pipeline.ledger.api_tokens import authenticate, list_tokens
from pipeline.ledger.engine import reading


@pytest.fixture
def bea(pages):
    account = pages.member("bea@example.com")
    pages.store("acme", account)
    visitor = pages.logged_in("bea@example.com")
    visitor.go(f"/accounts/{account}/tokens")
    return visitor, account


def make(visitor, account, **fields):
    return visitor.send(f"/accounts/{account}/tokens", **{"name": "export", "scope": "read", "days": "30", **fields})


def test_a_token_is_shown_once(pages, bea):
    visitor, account = bea
    text = re.search(r"cwt_\w+", make(visitor, account))[0]
    with reading(pages.site.engine) as conn:
        bearer = authenticate(conn, pages.site.settings.secret_keys, text, pages.site.now())
    visitor.go(f"/accounts/{account}/tokens")

    assert (bearer.account_id, bearer.scopes) == (account, {"read"})
    assert ("export" in visitor.text, text in visitor.page) == (True, False)


def test_a_token_is_revoked(pages, bea):
    visitor, account = bea
    make(visitor, account)
    visitor.send(f"/accounts/{account}/tokens/1/revoke")
    with reading(pages.site.engine) as conn:
        [token] = list_tokens(conn, [account])

    assert token.revoked_at == pages.site.now()
    assert "is revoked" in visitor.text


@pytest.mark.parametrize("fields", [{"name": " "}, {"scope": "everything"}, {"days": "0"}, {"days": "9999"}])
def test_what_cannot_be_used_is_said_beside_the_form(pages, bea, fields):
    visitor, account = bea
    make(visitor, account, **fields)
    with reading(pages.site.engine) as conn:
        made = list_tokens(conn, [account])

    assert (visitor.status, made) == (422, [])


def test_a_reader_makes_no_token(pages, bea):
    _, account = bea
    pages.member("robin@example.com", account, "reader")
    reader = pages.logged_in("robin@example.com")
    reader.go(f"/accounts/{account}/tokens")

    assert reader.status == 403
