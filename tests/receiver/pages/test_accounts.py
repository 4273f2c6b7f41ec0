"""Accounts: from registering to logging out everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.accounts import User
from pipeline.mail.outbox import MAX_PER_HOUR_ASKER_AND_RECIPIENT
from receiver.pages.auth.login import SerialPasswordContext
from tests.receiver.pages.browser import PASSWORD, PUBLIC, PagesInstallation

EMAIL = "bea@example.com"
WRONG = "The address, the password or the code is wrong."


def register(visitor, email=EMAIL, password=PASSWORD):
    visitor.go("/register")
    return visitor.send(email=email, password=password, password_confirm=password)


def test_a_new_user_confirms_by_mail_and_logs_in(pages):
    visitor = pages.visitor()
    register(visitor)
    [letter] = pages.mail()
    visitor.press(letter.links[0])
    visitor.log_in(EMAIL)

    assert visitor.is_logged_in()


def test_log_in_requires_a_confirmed_address(pages):
    visitor = pages.visitor()
    register(visitor)

    visitor.log_in(EMAIL)

    assert "confirm your address first" in visitor.text
    assert WRONG not in visitor.text
    assert not visitor.is_logged_in()


def test_a_required_log_in_is_announced_in_our_wording(pages):
    visitor = pages.visitor()
    visitor.go("/account")

    assert "Please log in first." in visitor.text


def test_a_password_is_stored_as_argon2(pages):
    register(pages.visitor())

    with reading(pages.site.engine) as conn:
        assert conn.execute(select(User.password)).scalar_one().startswith("$argon2id$")


def test_an_address_is_one_account_whatever_its_capitals(pages):
    pages.user(EMAIL)

    visitor = pages.visitor()
    visitor.log_in("Bea@Example.com")

    assert visitor.is_logged_in()


def test_the_page_does_not_reveal_that_an_address_is_taken(pages):
    pages.user(EMAIL)

    taken, free = pages.visitor(), pages.visitor()
    register(taken, EMAIL)
    register(free, "new@example.com")

    assert taken.text.replace(EMAIL, "") == free.text.replace("new@example.com", "")


def test_registering_twice_sends_a_mail(pages):
    pages.user(EMAIL)

    register(pages.visitor())

    assert "it already has one" in pages.mail()[0].text


@pytest.mark.parametrize("password", ["short", ""])
def test_a_short_password_is_refused(pages, password):
    visitor = pages.visitor()

    register(visitor, password=password)

    assert visitor.where == "/register"


def test_a_wrong_password_and_an_unknown_address_read_alike(pages):
    pages.user(EMAIL)
    known, unknown = pages.visitor(), pages.visitor()

    known.log_in(EMAIL, "not the password")
    unknown.log_in("unknown@example.com", "not the password")

    assert known.text == unknown.text
    assert WRONG in known.text


class Counting(SerialPasswordContext):
    """Counts the hashes."""

    done = 0

    def hash(self, secret, **given):
        self.done += 1
        return super().hash(secret, **given)

    def verify(self, secret, hashed, **given):
        self.done += 1
        return super().verify(secret, hashed, **given)


@pytest.mark.parametrize(
    ("page", "given"),
    [
        ("/login", {"password": "not the password"}),
        ("/register", {"password": PASSWORD, "password_confirm": PASSWORD}),
        ("/reset", {}),
        ("/confirm", {}),
    ],
)
def test_whether_an_address_is_known_costs_no_more_work(pages, page, given):
    pages.user(EMAIL)
    passwords = pages.app.extensions["security"].pwd_context = Counting()
    work = []
    for email in (EMAIL, "unknown@example.com"):
        passwords.done = 0
        visitor = pages.visitor()
        visitor.go(page)
        visitor.send(email=email, **given)
        work.append(passwords.done)

    assert work[0] == work[1]


def test_a_password_hashed_with_other_settings_is_hashed_anew_at_a_log_in(pages):
    user_id = pages.user(EMAIL)
    older = SerialPasswordContext().using(argon2__time_cost=2).hash(PASSWORD)
    with writing(pages.site.engine) as conn:
        conn.execute(update(User).where(User.id == user_id).values(password=older))

    assert pages.logged_in(EMAIL).is_logged_in()
    with reading(pages.site.engine) as conn:
        assert ",t=1,p=1$" in conn.execute(select(User.password)).scalar_one()


def reset(pages: PagesInstallation, password: str) -> None:
    visitor = pages.visitor()
    visitor.go("/reset")
    visitor.send(email=EMAIL)
    visitor.go(pages.mail()[-1].links[0])
    visitor.send(password=password, password_confirm=password)


def test_a_password_reset_ends_all_sessions(pages):
    pages.user(EMAIL)
    before = pages.logged_in(EMAIL)

    reset(pages, "another long one")

    assert not before.is_logged_in()


def test_a_link_for_a_new_password_works_once(pages):
    pages.user(EMAIL)
    visitor = pages.visitor()
    visitor.go("/reset")
    visitor.send(email=EMAIL)
    link = pages.mail()[0].links[0]
    visitor.go(link)
    visitor.send(password="another long one", password_confirm="another long one")

    visitor.go(link)

    assert visitor.where == "/reset"


def test_links_in_mails_lead_to_the_public_address(pages):
    register(pages.visitor())

    assert pages.mail()[0].links[0].startswith(f"{PUBLIC}/confirm/")


def ask_for_resets(pages, times=15):
    for _ in range(times):
        visitor = pages.visitor()
        visitor.go("/reset")
        visitor.send(email=EMAIL)


def test_mails_to_an_address_are_limited(pages):
    pages.user(EMAIL)
    ask_for_resets(pages)

    assert len(pages.mail()) == MAX_PER_HOUR_ASKER_AND_RECIPIENT


def test_resets_requested_by_others_delay_no_mail_about_the_account(pages):
    pages.user(EMAIL)
    ask_for_resets(pages)
    pages.mail()

    visitor = pages.logged_in(EMAIL)
    visitor.go("/change")
    visitor.send(password=PASSWORD, new_password="another long one", new_password_confirm="another long one")
    visitor.go("/change-email")
    visitor.send(email="new@example.com")
    [changed, confirm] = pages.mail()
    pages.visitor().press(confirm.links[0])

    assert "has been changed" in changed.text
    assert [(letter.recipient, letter.subject) for letter in pages.mail()] == [(EMAIL, "Your address was changed")]


def test_a_form_without_its_token_does_nothing(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)

    visitor.go("/account")
    visitor.page = ""
    visitor.send("/account/log-out-everywhere")

    assert visitor.status == 400
    assert visitor.is_logged_in()


def test_registration_is_closed_where_only_invited_users_are_allowed(site):
    closed = PagesInstallation.of(replace(site, settings=replace(site.settings, registration="invited")), [site.now()])

    visitor = closed.visitor()
    visitor.go("/register")

    assert visitor.status == 404
