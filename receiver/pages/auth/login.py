"""The log-in form, and the hashing of passwords."""

from __future__ import annotations

from threading import Lock
from typing import Any

from flask import flash
from flask import session as cookie
from flask_security import LoginForm
from flask_security.utils import get_message
from passlib.context import CryptContext

from receiver.pages.auth.mail_links import ADDRESS_COOKIE_KEY


class PrefilledLoginForm(LoginForm):
    """Flask-Security's form, prefilled with the address of a mail link that was followed."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        if not self.is_submitted() and not self.email.data:
            self.email.data = cookie.get(ADDRESS_COOKIE_KEY)

    def validate(self, **given: Any) -> bool:
        is_valid: bool = super().validate(**given)
        # Only with the right password, and not while the address is locked: the answer must not confirm a password.
        if self.user_authenticated and get_message("CONFIRMATION_REQUIRED")[0] in self.email.errors:
            self.email.errors = []  # the error would read like a wrong password
            flash("Please confirm your address first: follow the link in the mail that we sent.", "info")
        return is_valid


# One of the settings that OWASP's Password Storage Cheat Sheet rates as equally strong; it needs one thread and
# a tenth of the CPU of the library's default.
ARGON2_SETTINGS = {"argon2__memory_cost": 47_104, "argon2__time_cost": 1, "argon2__parallelism": 1}


class SerialPasswordContext(CryptContext):  # type: ignore[misc]  # the library has no types
    """Hashes one password at a time, so that one core stays free for hooks. Older settings are still verified."""

    def __init__(self) -> None:
        super().__init__(schemes=["argon2"], **ARGON2_SETTINGS)
        self._alone = Lock()

    def hash(self, secret: str, **given: Any) -> str:
        with self._alone:
            return str(super().hash(secret, **given))

    def verify(self, secret: str, hashed: str, **given: Any) -> bool:
        with self._alone:
            return bool(super().verify(secret, hashed, **given))
