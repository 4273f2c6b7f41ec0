"""The page behind the link of an invitation: joins the account, as an existing or as a new user."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_security import current_user, hash_password, login_user
from itsdangerous import BadSignature
from sqlalchemy import Connection

from pipeline.ledger.accounts import NewUser, add_member, add_user, claim_unconfirmed_user, find_user, is_confirmed
from pipeline.ledger.audit import Actor, record_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import PendingInvitation, find_invitation, use_invitation
from receiver.pages.accounts.send_invitation import build_serializer, describe_stores
from receiver.pages.auth.mail_links import ADDRESS_COOKIE_KEY
from receiver.pages.db_session import get_context

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/invitations/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show the invitation, with a form to accept it."""
    invitation = _load_invitation(token)
    with reading(get_context().engine) as conn:
        has_account = is_confirmed(conn, invitation.email)
    if has_account and not current_user.is_authenticated:
        cookie[ADDRESS_COOKIE_KEY] = invitation.email
        return redirect(url_for("security.login", next=url_for("invitations.show", token=token)))
    return _render_page(invitation, [])


@blueprint.post("/invitations/<token>")
def accept(token: str) -> ResponseReturnValue:
    """Join the account, as the user with the invited address or as a new one. The link proves the address."""
    invitation = _load_invitation(token)
    if current_user.is_authenticated:
        if not _is_mine(invitation):
            abort(403)
        return _join_account(invitation, None)
    errors, password = current_app.extensions["security"].password_util.validate(request.form.get("password", ""), True)  # noqa: FBT003 - Flask-Security's
    if errors:
        return _render_page(invitation, errors)
    return _join_account(invitation, hash_password(password))


def _render_page(invitation: PendingInvitation, errors: list[str]) -> str:
    return render_template(
        "invitation.html",
        invited=invitation,
        what=describe_stores(invitation.stores),
        mine=_is_mine(invitation),
        errors=errors,
    )


def _join_account(invitation: PendingInvitation, password_hash: str | None) -> ResponseReturnValue:
    context = get_context()
    now = context.now()
    with writing(context.engine) as conn:
        user_id = _find_joining_user(conn, invitation, password_hash, now)
        if user_id is None or not use_invitation(conn, invitation.id, now):
            abort(404)  # rolls back
        add_member(conn, invitation.account_id, user_id, invitation.role, now)
        about = {"invitation": invitation.id, "role": invitation.role}
        actor = Actor("page", user_id)
        record_action(conn, account_id=invitation.account_id, actor=actor, action="account.joined", about=about, at=now)
    if password_hash is not None:  # the link proves the address, and the password was chosen here
        login_user(current_app.extensions["security"].datastore.find_user(id=user_id), authn_via=["invitation"])
    flash("Welcome.", "success")
    return redirect(url_for("home.show"))


def _find_joining_user(
    conn: Connection, invitation: PendingInvitation, password_hash: str | None, now: int
) -> int | None:
    """Return the id of the user who joins; None if a password was chosen but the address has a user by now."""
    if password_hash is None:
        return find_user(conn, invitation.email)
    new = NewUser(invitation.email, password_hash, uuid.uuid4().hex, confirmed=True)
    return add_user(conn, new, now) or claim_unconfirmed_user(conn, new, now)


def _load_invitation(token: str) -> PendingInvitation:
    context = get_context()
    try:
        invitation_id = build_serializer(context.settings.secret_keys).loads(token)
    except BadSignature:
        abort(404)
    with reading(context.engine) as conn:
        return find_invitation(conn, invitation_id, context.now()) or abort(404)


def _is_mine(invitation: PendingInvitation) -> bool:
    return bool(current_user.is_authenticated) and current_user.email == invitation.email
