"""Log-ins that end on the server: a cookie carries a token, which is worth something while its row is there.

Logging out deletes the row; a new uniquifier (a new password, logging out everywhere) ends every log-in there was.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from flask import Flask, Response, g
from flask import session as cookie
from flask_security import user_authenticated
from flask_security.utils import set_request_attr
from sqlalchemy import select

from pipeline.ledger.log_ins import NewLogIn, begin_log_in, end_log_in
from pipeline.ledger.schema.accounts import LogIn
from receiver.pages.auth.users import WebUser
from receiver.pages.db_session import get_context, get_session
from receiver.pages.rate_limit import get_network_tag


def add_server_logins(app: Flask) -> None:
    """Replace Flask-Security's way from cookies to users, which knows no single log-in."""
    app.login_manager.user_loader(_load_user)  # type: ignore[attr-defined]
    user_authenticated.connect(_start_login, app)
    app.after_request(_end_dropped_login)


def _load_user(token: str) -> WebUser | None:
    """The user whose log-in this is, if it has not ended."""
    living = LogIn.token_hash == _hash(token), LogIn.expires_at > get_context().now()
    mine = select(WebUser).join(LogIn, LogIn.uniquifier == WebUser.fs_uniquifier).where(*living)
    user = get_session().scalar(mine)
    if user is None or not user.active:
        return None
    g.log_in = _hash(token)
    set_request_attr("fs_authn_via", "session")  # as Flask-Security's own does
    set_request_attr("fs_paa", cookie.get("fs_paa", 0))
    return user


def _start_login(_app: Flask, user: WebUser, **_: Any) -> None:
    """Flask-Login has put the user's identity into the cookie; the token takes its place."""
    token = secrets.token_urlsafe(32)
    db = get_session().write_connection()
    begin_log_in(db, NewLogIn(_hash(token), user.id, user.fs_uniquifier, get_network_tag()), get_context().now())
    get_session().commit()
    cookie["_user_id"] = token


def _end_dropped_login(response: Response) -> Response:
    """A request that began with a log-in, and whose answer carries no cookie of it any more, was its last."""
    begun = g.pop("log_in", None)
    if begun is not None and _hash(cookie.get("_user_id", "")) != begun:
        end_log_in(get_session().write_connection(), begun)
        get_session().commit()
    return response


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
