"""The first visit: what this is, what one needs, how to begin, and a demo shop where trying out is allowed."""

from __future__ import annotations

import secrets
import uuid

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import hash_password, login_user
from sqlalchemy import Connection

from pipeline.core.roles import READER
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import NewUser, add_member, add_user, find_user
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow, find_store, list_stores
from receiver.pages.db_session import get_context

blueprint = Blueprint("welcome", __name__)

DEMO_VISITOR = "visitor@demo.invalid"  # no mail can reach it


def show_welcome() -> str:
    """Render the page for visitors who are not logged in."""
    with reading(get_context().engine) as conn:
        demo = find_demo_store(conn)
    is_open = get_context().settings.registration == "open"
    return render_template("welcome.html", is_open=is_open, has_demo=demo is not None, platforms=DESTINATIONS)


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


def find_demo_store(conn: Connection) -> StoreRow | None:
    """Return the store that visitors may look at; None without one, or if its account has other stores too."""
    name = get_context().settings.demo_store
    store = find_store(conn, name) if name else None
    if store is None or [row.id for row in list_stores(conn) if row.account_id == store.account_id] != [store.id]:
        return None
    return store
