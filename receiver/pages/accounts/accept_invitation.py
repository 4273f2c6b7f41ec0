"""Invitations into an account: a link by mail, which its reader follows with the account they have or a new one."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password, login_user
from itsdangerous import BadSignature
from sqlalchemy import Connection

from pipeline.ledger.accounts import NewUser, add_member, add_user, claim_unconfirmed_user, find_user, is_confirmed
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import PendingInvitation, find_invitation, use_invitation
from receiver.pages.accounts.send_invitation import build_serializer, describe_stores
from receiver.pages.auth.mail_links import ADDRESS_COOKIE_KEY
from receiver.pages.db_session import get_context

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/invitations/<token>")
def show(token: str) -> ResponseReturnValue:
    """What somebody is invited to, and how they take it up."""
    invited = _load_invitation(token)
    with reading(get_context().engine) as db:
        known = is_confirmed(db, invited.email)
    if known and not current_user.is_authenticated:
        cookie[ADDRESS_COOKIE_KEY] = invited.email
        return redirect(url_for("security.login", next=request.path))
    return _render_page(invited, [])


@blueprint.post("/invitations/<token>")
def accept(token: str) -> ResponseReturnValue:
    """Join: as the user with the invited address, or as a new one. The mail proved whose address it is."""
    invited = _load_invitation(token)
    if current_user.is_authenticated:
        if not _is_mine(invited):
            abort(403)
        return _join_account(invited, None)
    errors, password = current_app.extensions["security"].password_util.validate(request.form.get("password", ""), True)  # noqa: FBT003 - Flask-Security's
    if errors:
        return _render_page(invited, errors)
    return _join_account(invited, hash_password(password))


def _render_page(invited: PendingInvitation, errors: list[str]) -> str:
    return render_template(
        "invitation.html", invited=invited, what=describe_stores(invited.stores), mine=_is_mine(invited), errors=errors
    )


def _join_account(invited: PendingInvitation, password_hash: str | None) -> ResponseReturnValue:
    site = get_context()
    now = site.now()
    with writing(site.engine) as db:
        user_id = _find_joining_user(db, invited, password_hash, now)
        if user_id is None or not use_invitation(db, invited.id, now):
            abort(404)  # rolls back
        add_member(db, invited.account_id, user_id, invited.role, now)
    if password_hash is not None:  # the mail proved whose address it is, and the password was chosen here
        login_user(current_app.extensions["security"].datastore.find_user(id=user_id), authn_via=["invitation"])
    flash("Welcome.", "success")
    return redirect(url_for("home.show"))


def _find_joining_user(db: Connection, invited: PendingInvitation, password_hash: str | None, now: int) -> int | None:
    """The user who joins; None if a password was chosen for an address that has a confirmed user by now."""
    if password_hash is None:
        return find_user(db, invited.email)
    new = NewUser(invited.email, password_hash, uuid.uuid4().hex, confirmed=True)
    return add_user(db, new, now) or claim_unconfirmed_user(db, new, now)


def _load_invitation(token: str) -> PendingInvitation:
    site = get_context()
    try:
        invitation_id = build_serializer(site.settings.secret_keys).loads(token)
    except BadSignature:
        abort(404)
    with reading(site.engine) as db:
        return find_invitation(db, invitation_id, site.now()) or abort(404)


def _is_mine(invited: PendingInvitation) -> bool:
    return bool(current_user.is_authenticated) and current_user.email == invited.email
