"""Replaces texts of Flask-Security's pages by our wording."""

from __future__ import annotations

from flask import Flask
from flask_security.babel import FsDomain

TRANSLATIONS = {
    "Login": "Log in",
    "Email Address": "Mail address",
    "Remember Me": "Stay logged in on this device",
    "Register": "Create an account",
    "New Password": "New password",
    "Retype Password": "Repeat the password",
    "Send password reset instructions": "Choose a new password",
    "Recover Password": "Send me a link",
    "Reset password": "Choose a new password",
    "Reset Password": "Save",
    "Resend confirmation instructions": "Confirm your address",
    "Resend Confirmation Instructions": "Send the mail again",
    "Change Password": "Change the password",
    "Change Email": "Change the mail address",
    "Submit": "Go on",
    "Submit Code": "Go on",
    "Authentication Code": "Code",
    "Set up using an authenticator app (e.g. google, lastpass, authy)": "Use an authenticator app",
    "Disable two-factor authentication": "Turn it off",
    "Recovery Codes": "Recovery codes",
    "Show Recovery Codes": "Show them",
    "Generate new Recovery Codes": "New recovery codes",
    "Generate New Recovery Codes": "Make new ones",
    "Enter Recovery Code": "Log in with a recovery code",
    "Reauthenticate": "Confirm your password",
    "Verify Password": "Go on",
}


def word(text: str) -> str:
    """Return our wording for a text of Flask-Security, or the text itself."""
    return TRANSLATIONS.get(str(text), str(text))


class TranslationDomain(FsDomain):
    """The translation domain that Flask-Security's templates use."""

    def gettext(self, string: str, **variables: object) -> str:
        text = word(string)
        return text % variables if variables else text


def add_wording(app: Flask) -> None:
    """Install the wording: headings use the translation domain; labels and buttons a filter in our macro."""
    app.jinja_env.globals["_fsdomain"] = TranslationDomain(app).gettext  # type: ignore[no-untyped-call]
    app.add_template_filter(word)
