"""The demo shop's visitor: one account that all visitors share. It looks at that shop, and changes nothing anywhere."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password, login_user
from sqlalchemy import Connection

from pipeline.core.roles import READER
from pipeline.ledger.accounts import NewUser, add_member, add_user, find_user
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow, find_store, list_stores
from receiver.pages.db_session import get_context

blueprint = Blueprint("demo_visitor", __name__)

DEMO_VISITOR = "visitor@demo.invalid"  # no mail can reach it
# The forms that change nothing: a search is sent as a form, so that no address of a person is in a URL.
_ALLOWED_FORMS = frozenset({"security.logout", "people.find", "people.find_all", "demo_visitor.look"})
REFUSED = (
    "This is a demo shop",
    "You may look at everything here, and change nothing. Log out to connect your own shop.",
)


@blueprint.post("/demo")
def look() -> ResponseReturnValue:
    """Log the visitor in as a reader of the demo shop."""
    context = get_context()
    with reading(context.engine) as conn:
        store = find_demo_store(conn) or abort(404)
        user_id = find_user(conn, DEMO_VISITOR)
    password = "" if user_id else hash_password(secrets.token_hex(32))  # no one knows it
    new = NewUser(DEMO_VISITOR, password, uuid.uuid4().hex, confirmed=True)
    with writing(context.engine) as conn:
        user_id = user_id or add_user(conn, new, context.now()) or find_user(conn, DEMO_VISITOR) or abort(404)
        add_member(conn, store.account_id, user_id, READER, context.now())
    login_user(current_app.extensions["security"].datastore.find_user(id=user_id), authn_via=["demo"])
    return redirect(url_for("home.store", name=store.name))


@blueprint.before_app_request
def refuse_changes() -> ResponseReturnValue | None:
    """Refuse every form that is not named above, and lead away from the pages that only lead to such forms."""
    if request.endpoint in (None, "static") or not is_demo_visitor():
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        if request.endpoint in _ALLOWED_FORMS:
            return None
        heading, text = REFUSED
        return render_template("error.html", heading=heading, text=text), 403
    if request.blueprint == "security" or request.endpoint == "connect.show":
        flash(" ".join((f"{REFUSED[0]}.", REFUSED[1])), "info")
        return redirect(url_for("home.show"))
    return None


@blueprint.app_context_processor
def add_question() -> dict[str, Any]:
    """Let the templates ask `is_demo_visitor()`."""
    return {"is_demo_visitor": is_demo_visitor}


def is_demo_visitor() -> bool:
    """Whether the current user is the demo shop's visitor."""
    return bool(current_user.is_authenticated) and current_user.email == DEMO_VISITOR


def find_demo_store(conn: Connection) -> StoreRow | None:
    """Return the store that visitors may look at; None without one, or if its account has other stores too."""
    name = get_context().settings.demo_store
    store = find_store(conn, name) if name else None
    if store is None or [row.id for row in list_stores(conn) if row.account_id == store.account_id] != [store.id]:
        return None
    return store
