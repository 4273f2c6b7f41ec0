"""The log-in form: who knows the password is told what else is missing, everybody else only that it failed."""

from __future__ import annotations

from typing import Any

from flask import flash
from flask_security import LoginForm


class LogIn(LoginForm):
    """Flask-Security's."""

    def validate(self, **given: Any) -> bool:
        right: bool = super().validate(**given)
        if self.user_authenticated and self.requires_confirmation:
            flash("Please confirm your address first: follow the link in the mail we sent.", "info")
        return right
