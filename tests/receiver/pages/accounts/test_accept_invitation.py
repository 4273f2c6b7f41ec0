"""Who may join an account, how, and in which role."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import list_members
from pipeline.ledger.engine import reading
from pipeline.mail.outbox import MAX_PER_HOUR_ASKER
from tests.receiver.pages.browser import PASSWORD

OWNER, GUEST = "bea@example.com", "robin@example.com"


@pytest.fixture
def account(pages):
    made = pages.member(OWNER)
    pages.store("acme", made)
    return made


def invite(pages, account, role="reader", email=GUEST):
    visitor = pages.logged_in(OWNER)
    visitor.go("/account")
    visitor.send(f"/accounts/{account}/invitations", email=email, role=role)
    return pages.mail()[-1].links[0]


def members(pages, account):
    with reading(pages.site.engine) as conn:
        return {member.email: member.role for member in list_members(conn, account)}


def join(pages, link):
    visitor = pages.visitor()
    visitor.go(link)
    visitor.send(password=PASSWORD)
    return visitor


def test_a_new_user_joins_with_their_own_password(pages, account):
    visitor = join(pages, invite(pages, account))

    assert "acme" in visitor.go("/")


def test_who_registered_an_address_that_is_not_theirs_gets_in_by_no_invitation(pages, account):
    """The link proves the address, not an earlier registration."""
    squatter = pages.visitor()
    squatter.go("/register")
    squatter.send(email=GUEST, password="known to a stranger", password_confirm="known to a stranger")
    join(pages, invite(pages, account))

    squatter.log_in(GUEST, "known to a stranger")

    assert members(pages, account)[GUEST] == "reader"
    assert "acme" in pages.logged_in(GUEST).go("/")
    assert not squatter.is_logged_in()


def test_a_new_user_is_logged_in_once_the_password_is_chosen(pages, account):
    visitor = pages.visitor()
    visitor.go(invite(pages, account))
    visitor.send(password=PASSWORD)

    assert (visitor.where, "acme" in visitor.text) == ("/", True)


def test_a_user_with_an_account_finds_the_address_filled_in(pages, account):
    pages.user(GUEST)
    visitor = pages.visitor()

    visitor.go(invite(pages, account))

    assert f'value="{GUEST}"' in visitor.page


def test_a_user_with_an_account_joins_after_logging_in(pages, account):
    pages.user(GUEST)
    visitor = pages.visitor()
    visitor.go(invite(pages, account))
    visitor.send(email=GUEST, password=PASSWORD)

    visitor.send()

    assert members(pages, account)[GUEST] == "reader"


def test_an_invitation_names_who_invites_and_to_which_store_in_the_mail_and_on_its_page(pages, account):
    visitor = pages.logged_in(OWNER)
    visitor.go("/account")
    visitor.send(f"/accounts/{account}/invitations", email=GUEST, role="reader")
    letter = pages.mail()[-1]
    guest = pages.visitor()
    guest.go(letter.links[0])

    assert letter.subject == "You are invited to look after the store acme"
    assert letter.text.startswith(f"{OWNER} invites you to look after the store acme in Cratewire, as reader.")
    assert f"{OWNER} invites {GUEST} to look after the store acme, as reader." in guest.text


def test_one_owner_sends_so_many_invitations_an_hour_and_is_then_refused(pages, account):
    visitor = pages.logged_in(OWNER)
    visitor.go("/account")
    for email in [*(f"guest-{number}@example.com" for number in range(MAX_PER_HOUR_ASKER)), GUEST]:
        visitor.send(f"/accounts/{account}/invitations", email=email, role="reader")

    assert "Nothing was sent" in visitor.text
    assert GUEST not in visitor.go("/account")


def test_the_role_is_the_one_that_was_chosen(pages, account):
    join(pages, invite(pages, account, role="owner"))

    assert members(pages, account) == {OWNER: "owner", GUEST: "owner"}


def test_an_invitation_is_for_its_address_only(pages, account):
    link = invite(pages, account)
    pages.user("sam@example.com")
    stranger = pages.logged_in("sam@example.com")

    stranger.go("/account")
    stranger.send(link)

    assert stranger.status == 403
    assert "sam@example.com" not in members(pages, account)


def test_an_invitation_works_once(pages, account):
    link = invite(pages, account)
    join(pages, link)

    visitor = pages.visitor()
    visitor.go(link)

    assert visitor.status == 404


def test_an_invitation_is_good_for_a_week(pages, account):
    link = invite(pages, account)

    pages.clock[0] += 7 * 86_400_000_000
    visitor = pages.visitor()
    visitor.go(link)

    assert visitor.status == 404


def test_a_forged_link_is_not_found(pages, account):
    visitor = pages.visitor()
    visitor.go(invite(pages, account)[:-1] + "x")

    assert visitor.status == 404


def test_an_invitation_can_be_withdrawn(pages, account):
    link = invite(pages, account)
    owner = pages.logged_in(OWNER)
    owner.go("/account")
    owner.send(f"/accounts/{account}/invitations/1/withdraw")

    visitor = pages.visitor()
    visitor.go(link)

    assert visitor.status == 404


def test_a_reader_cannot_invite(pages, account):
    pages.member(GUEST, account, "reader")
    reader = pages.logged_in(GUEST)

    reader.go("/account")
    reader.send(f"/accounts/{account}/invitations", email="sam@example.com", role="owner")

    assert (reader.status, pages.mail()) == (403, [])


def test_a_reader_sees_the_store(pages, account):
    pages.member(GUEST, account, "reader")

    assert "acme" in pages.logged_in(GUEST).go("/")


def test_who_is_removed_sees_nothing_any_more(pages, account):
    pages.member(GUEST, account, "reader")
    reader, owner = pages.logged_in(GUEST), pages.logged_in(OWNER)
    owner.go("/account")
    owner.send(f"/accounts/{account}/members/2/remove")

    reader.go("/stores/acme")

    assert reader.status == 404


def test_the_last_owner_stays(pages, account):
    owner = pages.logged_in(OWNER)
    owner.go("/account")
    owner.send(f"/accounts/{account}/members/1/remove")

    assert "at least one owner" in owner.text
    assert members(pages, account) == {OWNER: "owner"}


def test_the_last_owner_is_not_offered_to_leave(pages, account):
    alone = pages.logged_in(OWNER).go("/account")
    join(pages, invite(pages, account, role="owner"))

    together = pages.logged_in(OWNER).go("/account")

    assert ("Leave" in alone, "Leave" in together) == (False, True)
