"""Tokens of the API, on the command line."""

from __future__ import annotations

import pytest

from pipeline.ledger.api_tokens import authenticate
from pipeline.ledger.engine import reading
from pipeline.ledger.schema.audit import AuditEntry


def find_bearer(installed, text):
    process = installed.process
    with reading(process.engine) as conn:
        return authenticate(conn, process.settings.secret_keys, text, process.now())


def test_a_new_token_is_printed_alone(shell, installed):
    text = shell.said("accounts", "token", "new", "nightly export").strip()

    bearer = find_bearer(installed, text)
    assert (bearer.name, bearer.scopes, bearer.user_id) == ("nightly export", {"read"}, None)


def test_a_token_has_the_scopes_and_the_end_that_were_asked_for(shell, installed):
    typed = ("accounts", "token", "new", "x", "--scope", "read", "--scope", "rights", "--days", "2")
    bearer = find_bearer(installed, shell.json(*typed)["token"])

    assert bearer.scopes == {"read", "rights"}
    assert 0 < bearer.expires_at - installed.process.now() <= 2 * 86_400_000_000


def test_tokens_are_listed_without_their_secrets(shell, installed):
    text = shell.json("accounts", "token", "new", "x")["token"]
    [listed] = shell.json("accounts", "token", "list")

    assert (listed["account"], listed["valid"], listed["maker"]) == ("default", True, None)
    assert text.startswith(listed["prefix"])
    assert text not in shell.said("accounts", "token", "list")


def test_a_token_is_revoked_once(shell, installed):
    text = shell.json("accounts", "token", "new", "x")["token"]
    shell.said("accounts", "token", "revoke", "1")

    assert find_bearer(installed, text) is None
    assert "token list" in shell.complaint("accounts", "token", "revoke", "1")
    assert [row.action for row in installed.rows(AuditEntry)] == ["token.created", "token.revoked"]


@pytest.mark.parametrize("typed", [("x", "--account", "typo"), (" ",), ("x" * 81,)])
def test_a_token_that_cannot_be_made_is_refused(shell, installed, typed):
    assert shell.complaint("accounts", "token", "new", *typed)
