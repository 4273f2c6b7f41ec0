"""Links in mails that change something: opening one shows a button, and pressing it does what the link is for.

Scanners of mail open every link; none of that may confirm anything.
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

from receiver.pages.keys import derived
from receiver.pages.sessions import here
from receiver.pages.users import WebUser

ADDRESS = "address"  # in the cookie: the log-in form is filled in with it
REGISTERED = "registered"  # in the cookie: the user who was made in this browser


@dataclass(frozen=True, slots=True)
class Link:
    """One kind of link, and what its page says."""

    endpoint: str  # Flask-Security's
    rule: str
    heading: str
    text: str
    button: str


LINKS = (
    Link(
        "security.confirm_email",
        "/confirm/<token>",
        "Confirm your address",
        "This confirms that the address to which the mail was sent is yours.",
        "Confirm",
    ),
    Link(
        "security.change_email_confirm",
        "/change-email/<token>",
        "Change the mail address",
        "From then on you log in with the address to which the mail was sent.",
        "Use this address",
    ),
)


def ask_before_acting(app: Flask) -> None:
    """Put a page with a button before every view that acts on a link."""
    for link in LINKS:
        app.view_functions[link.endpoint] = _asking(link, app.view_functions[link.endpoint])
        app.add_url_rule(link.rule, endpoint=link.endpoint, methods=["POST"])
    if "security.register" in app.view_functions:  # anyone may make an account
        app.view_functions["security.register"] = _telling_nothing(app.view_functions["security.register"])
    user_registered.connect(_note_registered, app)
    user_confirmed.connect(_note_confirmed, app)
    password_reset.connect(_fill_in_address, app)


def note_registered(uniquifier: str) -> None:
    """The user with this was made in this browser, by who knows the password: confirming here logs them in."""
    cookie[REGISTERED] = _tag(uniquifier)


def _tag(uniquifier: str) -> str:
    key = derived(here().settings.secret_keys, "made in this browser")[0]
    return hmac.new(key.encode(), uniquifier.encode(), hashlib.sha256).hexdigest()


def _telling_nothing(act: Callable[..., Any]) -> Callable[..., Any]:
    """An address that has an account already leaves a cookie that looks the same, and logs in nowhere."""

    def view() -> Any:
        if request.method == "POST":
            cookie[REGISTERED] = secrets.token_hex(hashlib.sha256().digest_size)
        return act()

    return view


def _asking(link: Link, act: Callable[..., Any]) -> Callable[..., Any]:
    def view(token: str) -> Any:
        if request.method != "POST":
            return render_template("link.html", link=link)
        done = act(token)
        confirmed: WebUser | None = g.pop("confirmed", None)
        if confirmed is None:
            return done
        if cookie.pop(REGISTERED, None) == _tag(confirmed.fs_uniquifier):
            login_user(confirmed, authn_via=["confirm"])
            return redirect(url_for("home.show"))
        cookie[ADDRESS] = confirmed.email
        return done

    return view


def _note_registered(_app: Flask, user: WebUser, **_: object) -> None:
    note_registered(user.fs_uniquifier)


def _note_confirmed(_app: Flask, user: WebUser, **_: object) -> None:
    g.confirmed = user


def _fill_in_address(_app: Flask, user: WebUser, **_: object) -> None:
    cookie[ADDRESS] = user.email
