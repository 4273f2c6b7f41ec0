"""The log-in form: who knows the password is told what else is missing, everybody else only that it failed."""

from __future__ import annotations

from typing import Any

from flask import flash
from flask import session as cookie
from flask_security import LoginForm
from flask_security.utils import get_message

from receiver.pages.auth.mail_links import ADDRESS_COOKIE_KEY


class PrefilledLoginForm(LoginForm):
    """Flask-Security's, filled in with the address that is known from a link."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        if not self.is_submitted() and not self.email.data:
            self.email.data = cookie.get(ADDRESS_COOKIE_KEY)

    def validate(self, **given: Any) -> bool:
        right: bool = super().validate(**given)
        # Not while the address is locked: then the right password must read like a wrong one.
        if self.user_authenticated and get_message("CONFIRMATION_REQUIRED")[0] in self.email.errors:
            self.email.errors = []  # it would be shown as a wrong password
            flash("Please confirm your address first: follow the link in the mail we sent.", "info")
        return right
