"""Log-ins end on the server, whatever cookies still exist."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.ledger.engine import reading
from pipeline.ledger.log_ins import LOG_IN_TTL_US
from pipeline.ledger.schema.accounts import LogIn
from tests.receiver.pages.browser import PASSWORD
from tests.receiver.pages.test_accounts import EMAIL


def test_logging_out_everywhere_ends_every_session(pages):
    pages.user(EMAIL)
    here, there = pages.logged_in(EMAIL), pages.logged_in(EMAIL)

    here.go("/account")
    here.send("/account/log-out-everywhere")

    assert (here.is_logged_in(), there.is_logged_in()) == (False, False)


def copy_of(pages, visitor):
    """Another browser with the same cookies."""
    thief = pages.visitor()
    thief.share(visitor)
    assert thief.is_logged_in()
    return thief


@pytest.mark.parametrize("remember", [{}, {"remember": "y"}])
def test_a_cookie_from_before_logging_out_opens_nothing(pages, remember):
    pages.user(EMAIL)
    visitor, other = pages.visitor(), pages.logged_in(EMAIL)
    visitor.go("/login")
    visitor.send("/login", email=EMAIL, password=PASSWORD, **remember)
    thief = copy_of(pages, visitor)

    visitor.go("/account")
    visitor.send("/logout")

    assert (visitor.is_logged_in(), thief.is_logged_in()) == (False, False)
    assert other.is_logged_in()


def test_a_cookie_from_before_the_password_was_changed_opens_nothing(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)
    thief = copy_of(pages, visitor)

    visitor.go("/change")
    visitor.send(password=PASSWORD, new_password="another long one", new_password_confirm="another long one")

    assert (visitor.is_logged_in(), thief.is_logged_in()) == (True, False)


def test_a_log_in_ends_after_a_month(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)

    pages.clock[0] += LOG_IN_TTL_US

    assert not visitor.is_logged_in()


def test_log_ins_that_have_ended_are_forgotten_at_the_next_one(pages):
    pages.user(EMAIL)
    pages.logged_in(EMAIL)
    pages.clock[0] += LOG_IN_TTL_US
    pages.logged_in(EMAIL)

    with reading(pages.site.engine) as conn:
        assert len(conn.execute(select(LogIn.token_hash)).all()) == 1


def test_no_link_and_no_image_logs_a_user_out(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)

    visitor.go("/logout")

    assert visitor.status == 405
    assert visitor.is_logged_in()
