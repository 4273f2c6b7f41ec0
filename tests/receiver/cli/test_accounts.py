"""Who may log in, on the command line."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import NewUser, add_member, add_user, create_account
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.accounts import User
from tests.builders import NOW


@pytest.fixture
def bea(installed):
    """A merchant who registered on the pages, and a store connected on the command line."""
    installed.connect({})
    with writing(installed.process.engine) as conn:
        account, user = create_account(conn, NOW), add_user(conn, NewUser("bea@example.com", "hash", "id"), NOW)
        add_member(conn, account, user, "owner", NOW)
        conn.execute(User.__table__.update().values(tf_primary_method="authenticator", tf_totp_secret="sealed"))


def test_accounts_are_listed_with_stores_and_members(shell, bea):
    default, web = shell.json("accounts", "list")

    assert (default["account"], default["stores"], default["members"]) == ("default", ["acme"], [])
    assert [member["email"] for member in web["members"]] == ["bea@example.com"]


def test_an_account_without_members_is_shown_as_such(shell, bea):
    assert "none" in shell.said("accounts", "list")


def test_a_user_is_invited_into_the_account_of_the_command_line(shell, installed):
    link = shell.json("accounts", "invite", "robin@example.com")["link"]

    assert link.startswith(f"{installed.process.settings.public_url}/invitations/")


def test_an_invitation_into_an_unknown_account_is_refused(shell, installed):
    assert "accounts list" in shell.complaint("accounts", "invite", "robin@example.com", "--account", "typo")


def test_an_invitation_without_an_address_is_refused(shell, installed):
    assert "address" in shell.complaint("accounts", "invite", "robin")


def test_a_second_factor_that_was_lost_is_forgotten(shell, installed, bea):
    shell.said("accounts", "forget-second-factor", "Bea@example.com")

    with reading(installed.process.engine) as conn:
        row = conn.execute(User.__table__.select()).one()
    assert (row.tf_primary_method, row.tf_totp_secret, row.mf_recovery_codes) == (None, None, None)


def test_removing_the_second_factor_of_an_unknown_user_is_refused(shell, installed):
    assert "no user" in shell.complaint("accounts", "forget-second-factor", "eve@example.com")
