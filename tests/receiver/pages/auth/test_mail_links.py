"""Links in mails: opening one changes nothing, its button does, and no second log-in is needed."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.ledger.engine import reading
from pipeline.ledger.schema.accounts import User
from tests.receiver.pages.browser import PASSWORD
from tests.receiver.pages.test_accounts import EMAIL, register


def confirmed(pages):
    with reading(pages.site.engine) as conn:
        return [row.confirmed_at is not None for row in conn.execute(select(User.confirmed_at))]


def test_opening_a_link_that_confirms_changes_nothing(pages):
    register(pages.visitor())
    link = pages.mail()[0].links[0]
    scanner = pages.visitor()

    scanner.go(link)
    scanner.head(link)

    assert "Confirm your address" in scanner.text
    assert confirmed(pages) == [False]


def test_pressing_its_button_does_and_logs_in_where_the_account_was_made(pages):
    visitor = pages.visitor()
    register(visitor)

    visitor.press(pages.mail()[0].links[0])

    assert confirmed(pages) == [True]
    assert visitor.is_logged_in()


def test_elsewhere_the_address_is_filled_in_and_the_password_asked_for(pages):
    register(pages.visitor())
    other = pages.visitor()

    other.press(pages.mail()[0].links[0])

    assert other.where == "/login"
    assert f'value="{EMAIL}"' in other.page
    assert not other.is_logged_in()


def test_who_registers_an_address_that_waits_for_another_one_to_confirm_is_not_logged_in_by_it(pages):
    """The first registration's password is kept."""
    register(pages.visitor(), password="known to a stranger")
    visitor = pages.visitor()
    register(visitor)

    visitor.press(pages.mail()[-1].links[0])

    assert not visitor.is_logged_in()


def test_the_cookie_does_not_reveal_whether_an_address_has_an_account(pages):
    pages.user(EMAIL)
    taken, free = pages.visitor(), pages.visitor()
    register(taken, EMAIL)
    register(free, "new@example.com")

    keys = [{name: len(str(value)) for name, value in visitor.cookie().items()} for visitor in (taken, free)]
    assert keys[0].keys() == keys[1].keys()
    assert keys[0]["registered"] == keys[1]["registered"]


def test_opening_a_link_to_a_new_address_changes_nothing(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)
    visitor.go("/change-email")
    visitor.send(email="new@example.com")

    pages.visitor().go(pages.mail()[0].links[0])

    assert EMAIL in pages.logged_in(EMAIL).go("/account")


def test_after_choosing_a_new_password_the_address_is_filled_in(pages):
    pages.user(EMAIL)
    visitor = pages.visitor()
    visitor.go("/reset")
    visitor.send(email=EMAIL)
    visitor.go(pages.mail()[0].links[0])
    visitor.send(password=PASSWORD, password_confirm=PASSWORD)

    assert f'value="{EMAIL}"' in visitor.page


def test_the_address_changes_once_the_new_one_is_confirmed(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)
    visitor.go("/change-email")
    visitor.send(email="new@example.com")
    [letter] = pages.mail()
    visitor.press(letter.links[0])

    assert letter.recipient == "new@example.com"
    assert "new@example.com" in pages.logged_in("new@example.com").go("/account")


def test_the_old_address_is_notified_of_the_change(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)
    visitor.go("/change-email")
    visitor.send(email="new@example.com")
    visitor.press(pages.mail()[0].links[0])

    assert [(letter.recipient, letter.subject) for letter in pages.mail()] == [(EMAIL, "Your address was changed")]
