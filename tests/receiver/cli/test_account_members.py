"""Roles, invitations and the audit log on the command line."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import NewUser, add_member, add_user, find_account
from pipeline.ledger.engine import writing
from tests.builders import NOW


@pytest.fixture
def members(installed):
    """An owner and a reader of the account of the command line."""
    installed.connect({})
    with writing(installed.process.engine) as conn:
        account = find_account(conn, "default")
        for email, role in (("bea@example.com", "owner"), ("robin@example.com", "reader")):
            add_member(conn, account, add_user(conn, NewUser(email, "hash", email), NOW), role, NOW)


def roles(shell):
    return {member["email"]: member["role"] for member in shell.json("accounts", "list")[0]["members"]}


def test_a_role_is_changed(shell, members):
    shell.said("accounts", "set-role", "Robin@example.com", "operator")

    assert roles(shell) == {"bea@example.com": "owner", "robin@example.com": "operator"}


def test_the_last_owner_stays_one(shell, members):
    assert "at least one owner" in shell.complaint("accounts", "set-role", "bea@example.com", "reader")
    assert "at least one owner" in shell.complaint("accounts", "remove-member", "bea@example.com")


def test_a_member_is_removed_and_an_unknown_one_reported(shell, members):
    shell.said("accounts", "remove-member", "robin@example.com")

    assert roles(shell) == {"bea@example.com": "owner"}
    assert "accounts list" in shell.complaint("accounts", "remove-member", "robin@example.com")


def test_an_invitation_is_listed_until_it_is_withdrawn(shell, members):
    shell.said("accounts", "invite", "guest@example.com", "--role", "operator")
    invited = shell.json("accounts", "list")[0]["invited"]
    shell.said("accounts", "withdraw", "guest@example.com")

    assert [(row["email"], row["role"]) for row in invited] == [("guest@example.com", "operator")]
    assert shell.json("accounts", "list")[0]["invited"] == []
    assert "no open invitation" in shell.complaint("accounts", "withdraw", "guest@example.com")


def test_the_log_says_what_was_done_newest_first(shell, members):
    shell.said("accounts", "invite", "guest@example.com", "--role", "operator")
    shell.said("stores", "rename", "acme", "Acme Boxes")
    shell.said("connections", "pause", "--store", "acme")
    shell.said("accounts", "set-role", "robin@example.com", "operator")

    log = shell.json("accounts", "log", "--account", "default")
    older = shell.json("accounts", "log", "--before", str(log[-2]["id"]))

    actions = ["account.role_changed", "connection.paused", "store.renamed", "account.invited"]
    assert [row["action"] for row in log] == actions
    assert [row["action"] for row in older] == actions[3:]
    assert {row["who"] for row in log} == {"the command line"}
    assert "robin" not in str([row["about"] for row in log])
    assert "paused what is sent" in shell.said("accounts", "log")


def test_an_unknown_account_has_no_log(shell, members):
    assert "accounts list" in shell.complaint("accounts", "log", "--account", "typo")
