"""People and roles of an account, and its audit log, on the pages."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import list_members
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.audit import list_actions
from receiver.pages.accounts.views import LOG_PAGE_SIZE

OWNER, ROBIN = "bea@example.com", "robin@example.com"


@pytest.fixture
def account(pages):
    found = pages.member(OWNER)
    pages.member(ROBIN, found, "reader")
    pages.store("acme", found)
    return found


def members(pages, account):
    with reading(pages.site.engine) as conn:
        return {member.email: (member.user_id, member.role) for member in list_members(conn, account)}


def set_role(pages, account, email, role):
    visitor = pages.logged_in(OWNER)
    visitor.go("/account")
    visitor.send(f"/accounts/{account}/members/{members(pages, account)[email][0]}/role", role=role)
    return visitor


def log(pages, account):
    with reading(pages.site.engine) as conn:
        return [(row.action, row.email, row.about) for row in list_actions(conn, [account])]


def test_an_owner_changes_a_role_and_the_page_says_so(pages, account):
    visitor = set_role(pages, account, ROBIN, "operator")

    assert "The member is an operator now." in visitor.text
    assert members(pages, account)[ROBIN][1] == "operator"
    assert log(pages, account) == [("account.role_changed", OWNER, {"user": 2, "role": "operator"})]


def test_the_last_owner_keeps_the_role(pages, account):
    visitor = set_role(pages, account, OWNER, "reader")

    assert "Nothing was changed. An account keeps at least one owner." in visitor.text
    assert (members(pages, account)[OWNER][1], log(pages, account)) == ("owner", [])


@pytest.mark.parametrize("role", ["admin", ""])
def test_a_role_that_there_is_not_is_refused(pages, account, role):
    assert set_role(pages, account, ROBIN, role).status == 400


def test_only_owners_get_the_forms(pages, account):
    opened = {email: pages.logged_in(email).go("/account") for email in (OWNER, ROBIN)}

    assert ["Invite a person" in opened[email] for email in (OWNER, ROBIN)] == [True, False]
    assert ["Audit log" in opened[email] for email in (OWNER, ROBIN)] == [True, False]
    assert "What each role may do" in opened[ROBIN]


def test_an_invitation_its_withdrawal_and_a_removal_are_in_the_log(pages, account):
    visitor = pages.logged_in(OWNER)
    visitor.go("/account")
    visitor.send(f"/accounts/{account}/invitations", email="guest@example.com", role="operator")
    visitor.send(f"/accounts/{account}/invitations/1/withdraw")
    visitor.send(f"/accounts/{account}/members/{members(pages, account)[ROBIN][0]}/remove")

    assert log(pages, account) == [
        ("account.member_removed", OWNER, {"user": 2}),
        ("account.invitation_withdrawn", OWNER, {"invitation": 1}),
        ("account.invited", OWNER, {"invitation": 1, "role": "operator"}),
    ]


def test_the_log_has_pages_and_names_who_did_what(pages, account):
    with writing(pages.site.engine) as conn:
        for number in range(LOG_PAGE_SIZE + 1):
            about = {"person": number}
            record = {"account_id": account, "actor": COMMAND_LINE_ACTOR, "action": "person.exported"}
            record_action(conn, **record, about=about, at=pages.site.now())
    visitor = pages.logged_in(OWNER)
    visitor.go(f"/accounts/{account}/log")
    first = visitor.text
    visitor.go(f"/accounts/{account}/log?before=2")

    assert ("the command line exported a person" in first, "Older" in first) == (True, True)
    assert f"person {LOG_PAGE_SIZE}" in first
    assert "person 0" not in first
    assert ("person 0" in visitor.text, "Older" in visitor.text) == (True, False)


def test_an_empty_log_says_so(pages, account):
    visitor = pages.logged_in(OWNER)
    visitor.go(f"/accounts/{account}/log")

    assert "Nothing was done yet." in visitor.text
