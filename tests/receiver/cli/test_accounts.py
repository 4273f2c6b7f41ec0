"""Who may log in, on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pipeline.ledger.accounts import NewUser, add_member, add_user, create_account
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import create_invitation
from pipeline.ledger.schema.accounts import Invitation, LogIn, Mail, Membership, User
from pipeline.ledger.schema.core import Store
from pipeline.mail.outbox import enqueue_mail
from pipeline.mail.transport import MailMessage
from receiver.cli import main
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


def test_a_user_is_removed_with_everything_of_theirs_and_the_empty_account(shell, bea, installed):
    shell.said("accounts", "remove", "Bea@example.com", "--yes")

    assert installed.rows(User) == installed.rows(Membership) == []
    assert [row["account"] for row in shell.json("accounts", "list")] == ["default"]


def test_the_last_owner_of_an_account_with_stores_stays(shell, bea, installed):
    with writing(installed.process.engine) as conn:
        conn.execute(Store.__table__.update().values(account_id=2))
    complaint = shell.complaint("accounts", "remove", "bea@example.com", "--yes")

    assert "has acme" in complaint
    assert "cratewire accounts invite" in complaint
    assert "cratewire stores remove acme" in complaint
    assert len(installed.rows(User)) == 1


def test_removing_an_unknown_user_is_refused(shell, installed):
    assert "no user" in shell.complaint("accounts", "remove", "eve@example.com", "--yes")


def test_removing_a_user_asks_for_the_address(bea, installed):
    command = ("accounts", "remove", "bea@example.com")
    result = CliRunner().invoke(main, command, input="bea@example.org\n", catch_exceptions=False)

    assert (result.exit_code, len(installed.rows(User))) == (1, 1)


def test_mails_and_log_ins_of_a_removed_user_are_deleted(shell, bea, installed):
    with writing(installed.process.engine) as conn:
        enqueue_mail(conn, ("a-key-that-only-tests-know",), MailMessage("bea@example.com", "x", "y"), NOW)
        add_log_in = LogIn.__table__.insert()
        conn.execute(
            add_log_in.values(token_hash="x", user_id=1, uniquifier="id", network="", begun_at=1, expires_at=2)
        )
        create_invitation(conn, 1, "bea@example.com", "reader", NOW)
        create_invitation(conn, 1, "robin@example.com", "reader", NOW, invited_by=1)
    shell.said("accounts", "remove", "bea@example.com", "--yes")

    assert installed.rows(Mail) == installed.rows(LogIn) == []
    assert [(row.email, row.invited_by) for row in installed.rows(Invitation)] == [("robin@example.com", None)]
