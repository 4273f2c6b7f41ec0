"""Log-ins stored on the server: the cookie has a token, which is valid while its row exists.

Logging out deletes the row; a new uniquifier (new password, logging out everywhere) ends all log-ins.
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
    """Replace Flask-Security's user loader, which cannot end a single log-in."""
    app.login_manager.user_loader(_load_user)  # type: ignore[attr-defined]
    user_authenticated.connect(_start_login, app)
    app.after_request(_end_dropped_login)


def _load_user(token: str) -> WebUser | None:
    """Return the user of this log-in; None if it has ended."""
    conditions = LogIn.token_hash == _hash(token), LogIn.expires_at > get_context().now()
    query = select(WebUser).join(LogIn, LogIn.uniquifier == WebUser.fs_uniquifier).where(*conditions)
    user = get_session().scalar(query)
    if user is None or not user.active:
        return None
    g.log_in = _hash(token)
    set_request_attr("fs_authn_via", "session")  # as Flask-Security's loader does
    set_request_attr("fs_paa", cookie.get("fs_paa", 0))
    return user


def _start_login(_app: Flask, user: WebUser, **_: Any) -> None:
    """Replace the user's identity, which Flask-Login put into the cookie, by a token."""
    token = secrets.token_urlsafe(32)
    conn = get_session().write_connection()
    begin_log_in(conn, NewLogIn(_hash(token), user.id, user.fs_uniquifier, get_network_tag()), get_context().now())
    get_session().commit()
    cookie["_user_id"] = token


def _end_dropped_login(response: Response) -> Response:
    """Delete the log-in of this request if the session no longer has its token."""
    token_hash = g.pop("log_in", None)
    if token_hash is not None and _hash(cookie.get("_user_id", "")) != token_hash:
        end_log_in(get_session().write_connection(), token_hash)
        get_session().commit()
    return response


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
