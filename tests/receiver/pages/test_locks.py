"""An address whose password is guessed is locked for a while, and its owner is notified."""

from __future__ import annotations

from receiver.pages.auth.users import LOCK_MINUTES, MAX_FAILURES, MAX_FAILURES_PER_NETWORK
from tests.receiver.pages.browser import PagesInstallation
from tests.receiver.pages.test_accounts import EMAIL, WRONG, register, reset


def locked_out(pages: PagesInstallation):
    pages.user(EMAIL)
    visitor = pages.visitor()
    for _ in range(MAX_FAILURES_PER_NETWORK):
        visitor.log_in(EMAIL, "not the password")
    return visitor


def test_repeated_failures_lock_the_account_even_for_the_right_password(pages):
    visitor = locked_out(pages)

    visitor.log_in(EMAIL)

    assert WRONG in visitor.text


def test_while_it_is_locked_the_right_password_of_an_unconfirmed_address_reads_like_a_wrong_one(pages):
    visitor = pages.visitor()
    register(visitor)
    for _ in range(MAX_FAILURES_PER_NETWORK):
        visitor.log_in(EMAIL, "not the password")
    wrong = visitor.text

    visitor.log_in(EMAIL)

    assert visitor.text == wrong
    assert WRONG in wrong


def guess(pages, peer, times=MAX_FAILURES_PER_NETWORK):
    stranger = pages.visitor(peer)
    for _ in range(times):
        stranger.log_in(EMAIL, "not the password")
    return stranger


OWNER, STRANGER = "12.0.0.1", "11.0.0.1"


def test_a_guesser_locks_the_user_out_only_on_that_network(pages):
    pages.user(EMAIL)
    stranger = guess(pages, STRANGER)

    stranger.log_in(EMAIL)

    assert not stranger.is_logged_in()
    assert pages.logged_in(EMAIL, OWNER).is_logged_in()


def guess_from_everywhere(pages):
    for number in range(MAX_FAILURES // (MAX_FAILURES_PER_NETWORK - 1) + 1):
        guess(pages, f"11.0.{number}.1", MAX_FAILURES_PER_NETWORK - 1)


def test_who_guesses_from_many_networks_is_held_up_too(pages):
    pages.user(EMAIL)
    guess_from_everywhere(pages)

    assert not pages.logged_in(EMAIL, "11.0.250.1").is_logged_in()


def test_guesses_from_many_networks_leave_the_network_in_which_the_user_is_logged_in_alone(pages):
    pages.user(EMAIL)
    pages.logged_in(EMAIL, OWNER)
    guess_from_everywhere(pages)

    assert pages.logged_in(EMAIL, OWNER).is_logged_in()


def test_a_lock_is_reported_by_mail(pages):
    locked_out(pages)

    assert [letter.subject for letter in pages.mail()] == ["Too many failed log-ins"]


def test_a_lock_ends_by_itself(pages):
    visitor = locked_out(pages)

    pages.clock[0] += LOCK_MINUTES * 60_000_000 + 1
    visitor.log_in(EMAIL)

    assert visitor.is_logged_in()


def test_fewer_failures_are_forgotten_with_a_log_in(pages):
    pages.user(EMAIL)
    for _ in range(2):
        visitor = pages.visitor()
        for _ in range(MAX_FAILURES_PER_NETWORK - 1):
            visitor.log_in(EMAIL, "not the password")
        visitor.log_in(EMAIL)

    assert visitor.is_logged_in()


def test_a_new_password_by_mail_lifts_the_lock(pages):
    visitor = locked_out(pages)

    reset(pages, "another long one")
    visitor.log_in(EMAIL, "another long one")

    assert visitor.is_logged_in()
