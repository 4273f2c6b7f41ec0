"""Links in mails that change something: the link opens a page with a button, and the button makes the change.

Mail scanners open every link, which must not confirm anything.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask_security import login_user, password_reset, user_confirmed, user_registered

from receiver.pages.auth.keys import derive_keys
from receiver.pages.auth.users import WebUser
from receiver.pages.db_session import get_context

ADDRESS_COOKIE_KEY = "address"  # session key: the address that the log-in form is prefilled with
REGISTERED_COOKIE_KEY = "registered"  # session key: the signed uniquifier of the user registered in this browser


@dataclass(frozen=True, slots=True)
class MailLink:
    """One kind of link, and the texts of its page."""

    endpoint: str  # Flask-Security's
    rule: str
    heading: str
    text: str
    button: str


MAIL_LINKS = (
    MailLink(
        "security.confirm_email",
        "/confirm/<token>",
        "Confirm your address",
        "Confirm that the address to which the mail was sent is yours.",
        "Confirm",
    ),
    MailLink(
        "security.change_email_confirm",
        "/change-email/<token>",
        "Change the mail address",
        "You will log in with the address to which the mail was sent.",
        "Use this address",
    ),
)


def add_confirmation_pages(app: Flask) -> None:
    """Replace every view that acts on a link by a page with a button."""
    for link in MAIL_LINKS:
        app.view_functions[link.endpoint] = _ask_to_confirm(link, app.view_functions[link.endpoint])
        app.add_url_rule(link.rule, endpoint=link.endpoint, methods=["POST"])
    if "security.register" in app.view_functions:  # registration is open
        app.view_functions["security.register"] = _hide_known_addresses(app.view_functions["security.register"])
    user_registered.connect(_remember_registered, app)
    user_confirmed.connect(_remember_confirmed, app)
    password_reset.connect(_remember_address, app)


def remember_registered(uniquifier: str) -> None:
    """Remember that the user was registered in this browser: confirming the address in it logs them in."""
    cookie[REGISTERED_COOKIE_KEY] = _sign_uniquifier(uniquifier)


def _sign_uniquifier(uniquifier: str) -> str:
    key = derive_keys(get_context().settings.secret_keys, "made in this browser")[0]
    return hmac.new(key.encode(), uniquifier.encode(), hashlib.sha256).hexdigest()


def _hide_known_addresses(view_function: Callable[..., Any]) -> Callable[..., Any]:
    """Set a random cookie at every registration, so that known addresses look like new ones."""

    def view() -> Any:
        if request.method == "POST":
            cookie[REGISTERED_COOKIE_KEY] = secrets.token_hex(hashlib.sha256().digest_size)
        return view_function()

    return view


def _ask_to_confirm(link: MailLink, view_function: Callable[..., Any]) -> Callable[..., Any]:
    def view(token: str) -> Any:
        if request.method != "POST":
            return render_template("link.html", link=link)
        response = view_function(token)
        confirmed: WebUser | None = g.pop("confirmed", None)
        if confirmed is None:
            return response
        if cookie.pop(REGISTERED_COOKIE_KEY, None) == _sign_uniquifier(confirmed.fs_uniquifier):
            login_user(confirmed, authn_via=["confirm"])
            return redirect(url_for("home.show"))
        cookie[ADDRESS_COOKIE_KEY] = confirmed.email
        return response

    return view


def _remember_registered(_app: Flask, user: WebUser, **_: object) -> None:
    remember_registered(user.fs_uniquifier)


def _remember_confirmed(_app: Flask, user: WebUser, **_: object) -> None:
    g.confirmed = user


def _remember_address(_app: Flask, user: WebUser, **_: object) -> None:
    cookie[ADDRESS_COOKIE_KEY] = user.email
