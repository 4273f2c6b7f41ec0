"""The optional second factor: an authenticator app, and recovery codes."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from passlib.totp import TOTP
from sqlalchemy import select, update

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.accounts import User
from receiver.pages.auth.keys import count_unbound_second_factors, reencrypt_second_factors, unbind
from receiver.pages.auth.users import MAX_FAILURES_PER_NETWORK
from tests.receiver.pages.browser import PagesInstallation

EMAIL = "bea@example.com"


def app_of(visitor) -> TOTP:
    """The authenticator app with the secret of the page."""
    return TOTP(key=re.search(r"<code>([A-Z2-7-]{16,})</code>", visitor.page)[1], format="base32")


def with_second_factor(pages: PagesInstallation):
    """A user with a second factor; returns their app."""
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)
    visitor.go("/tf-setup")
    visitor.send(setup="authenticator")
    app = app_of(visitor)
    action = re.search(r'action="(/tf-setup/[^"]+)"', visitor.page)[1]
    visitor.send(action, code=app.generate(time.time() - 30).token)
    return visitor, app


def setting_up(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)
    visitor.go("/tf-setup")
    chosen = re.search(r'<input[^>]*checked[^>]*value="authenticator"', visitor.page)
    visitor.send(setup="authenticator")
    return visitor, chosen


def action_of(visitor):
    return re.search(r'action="(/tf-setup/[^"]+)"', visitor.page)[1]


def test_the_only_method_is_chosen_already(pages):
    _, chosen = setting_up(pages)

    assert chosen


def test_a_mistyped_code_keeps_the_secret(pages):
    visitor, _ = setting_up(pages)
    app = app_of(visitor)

    visitor.send(action_of(visitor), code="000000")
    again, said = app_of(visitor), visitor.text
    visitor.send(action_of(visitor), code=app.generate().token)

    assert again.key == app.key
    assert "This code is wrong" in said
    assert "Recovery codes" in visitor.text


def test_recovery_codes_are_shown_as_soon_as_it_is_on(pages):
    visitor, _ = setting_up(pages)
    visitor.send(action_of(visitor), code=app_of(visitor).generate(time.time() - 30).token)
    codes = re.findall(r"<li class=.fs-div.>([^<]+)</li>", visitor.page)
    other = pages.visitor()
    other.log_in(EMAIL)
    other.go("/mf-recovery")
    other.send(code=codes[0])

    assert len(codes) > 1
    assert other.is_logged_in()


def test_a_second_factor_is_asked_for_once_it_is_on(pages):
    with_second_factor(pages)

    visitor = pages.visitor()
    visitor.log_in(EMAIL)

    assert (visitor.where, visitor.is_logged_in()) == ("/tf-validate", False)


def test_the_right_code_logs_in(pages):
    _, app = with_second_factor(pages)
    visitor = pages.visitor()
    visitor.log_in(EMAIL)

    visitor.send("/tf-validate", code=app.generate().token)

    assert visitor.is_logged_in()


def test_an_administrator_is_not_written_to_by_who_has_lost_the_app(pages):
    with_second_factor(pages)
    visitor = pages.visitor()
    visitor.log_in(EMAIL)
    asked = visitor.page

    visitor.send("/tf-rescue", help_setup="help")

    assert "The operator of this installation" in asked
    assert pages.mail() == []


def test_no_code_works_twice(pages):
    _, app = with_second_factor(pages)
    code = app.generate().token
    for _ in range(2):
        visitor = pages.visitor()
        visitor.log_in(EMAIL)
        visitor.send("/tf-validate", code=code)

    assert not visitor.is_logged_in()


def test_guessing_codes_locks_the_account(pages):
    _, app = with_second_factor(pages)
    visitor = pages.visitor()
    visitor.log_in(EMAIL)
    right = app.generate().token
    for number in range(MAX_FAILURES_PER_NETWORK):
        visitor.send("/tf-validate", code=f"{(int(right) + 1 + number) % 1_000_000:06}")

    visitor.send("/tf-validate", code=right)

    assert not visitor.is_logged_in()


def test_a_recovery_code_stands_in_for_the_app_once(pages):
    visitor, _ = with_second_factor(pages)
    visitor.go("/mf-recovery-codes")
    visitor.send(generate_new_codes="Generate New Recovery Codes")
    code = re.search(r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b", visitor.text)[0]
    logged_in = []
    for _ in range(2):
        newcomer = pages.visitor()
        newcomer.log_in(EMAIL)
        newcomer.go("/mf-recovery")
        newcomer.send("/mf-recovery", code=code)
        logged_in.append(newcomer.is_logged_in())

    assert logged_in == [True, False]


def test_a_second_factor_outlives_a_change_of_the_secret_key(pages):
    _, app = with_second_factor(pages)
    keys = ("a-newer-key-that-only-tests-know", *pages.site.settings.secret_keys)
    later = PagesInstallation.of(
        replace(pages.site, settings=replace(pages.site.settings, secret_keys=keys)), pages.clock
    )
    visitor = later.visitor()
    visitor.log_in(EMAIL)

    visitor.send("/tf-validate", code=app.generate().token)

    assert visitor.is_logged_in()


def test_a_second_factor_that_was_sealed_anew_needs_the_old_key_no_more(pages):
    visitor, app = with_second_factor(pages)
    visitor.go("/mf-recovery-codes")
    visitor.send(generate_new_codes="Generate New Recovery Codes")
    keys = ("a-newer-key-that-only-tests-know", *pages.site.settings.secret_keys)
    with writing(pages.site.engine) as conn:
        reencrypt_second_factors(conn, keys)
    later = PagesInstallation.of(
        replace(pages.site, settings=replace(pages.site.settings, secret_keys=keys[:1])), pages.clock
    )
    newcomer = later.visitor()
    newcomer.log_in(EMAIL)

    newcomer.send("/tf-validate", code=app.generate().token)

    assert newcomer.is_logged_in()


def test_second_factors_are_not_sealed_anew_without_the_key_they_have(pages):
    with_second_factor(pages)

    with pytest.raises(Misconfigured), writing(pages.site.engine) as conn:
        reencrypt_second_factors(conn, ["a-newer-key-that-only-tests-know"])


def _move_second_factor(pages: PagesInstallation, to: str) -> None:
    """Put the second factor of one user into the row of another."""
    pages.user(to)
    with writing(pages.site.engine) as conn:
        columns = User.tf_primary_method, User.tf_totp_secret, User.mf_recovery_codes
        moved = conn.execute(select(*columns).where(User.email == EMAIL)).one()._asdict()
        conn.execute(update(User).where(User.email == to).values(moved))


def test_the_second_factor_of_another_user_is_refused_with_its_codes(pages):
    visitor, app = with_second_factor(pages)
    visitor.go("/mf-recovery-codes")
    visitor.send(generate_new_codes="Generate New Recovery Codes")
    code = re.search(r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b", visitor.text)[0]
    _move_second_factor(pages, "another@example.com")

    newcomer = pages.visitor()
    newcomer.log_in("another@example.com")
    newcomer.send("/tf-validate", code=app.generate().token)
    newcomer.go("/mf-recovery")
    newcomer.send("/mf-recovery", code=code)

    assert not newcomer.is_logged_in()


def test_a_second_factor_in_the_row_of_another_user_stops_the_encryption_of_all(pages):
    with_second_factor(pages)
    _move_second_factor(pages, "another@example.com")

    with pytest.raises(Misconfigured, match="belongs to users 1"), writing(pages.site.engine) as conn:
        reencrypt_second_factors(conn, pages.site.settings.secret_keys)


def test_a_second_factor_of_an_earlier_version_is_accepted_until_it_is_encrypted_again(pages):
    _, app = with_second_factor(pages)
    keys = pages.site.settings.secret_keys
    with writing(pages.site.engine) as conn:
        stored = conn.execute(select(User.tf_totp_secret)).scalar_one()
        conn.execute(update(User).values(tf_totp_secret=unbind(keys, 1, stored or "")))
        assert count_unbound_second_factors(conn) == 1

    newcomer = pages.visitor()
    newcomer.log_in(EMAIL)
    newcomer.send("/tf-validate", code=app.generate().token)

    assert newcomer.is_logged_in()
    with writing(pages.site.engine) as conn:
        reencrypt_second_factors(conn, keys)
        assert count_unbound_second_factors(conn) == 0
