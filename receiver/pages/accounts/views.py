"""The user's account page: log-in, second factor, and the members of their accounts."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, logout_user

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import OWNER, ROLES, Role
from pipeline.ledger.accounts import Member, get_roles, list_members, remove_member
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import PendingInvitation, list_invitations, revoke_invitation
from receiver.pages.accounts.send_invitation import InvitationRequest, Inviter, send_invitation
from receiver.pages.auth.permissions import get_my_id, list_my_stores, require, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("account", __name__)

TOO_MANY_INVITATIONS = "Nothing was sent: you have sent too many invitations in the last hour. Please try again later."


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its members see it."""

    id: int
    my_role: Role
    stores: list[str]
    members: list[Member]
    invited: list[PendingInvitation]

    def can_leave(self, member: Member) -> bool:
        """Return whether the member can be removed. The last owner cannot: no one else could invite members."""
        return [owner.user_id for owner in self.members if owner.role == OWNER] != [member.user_id]


@blueprint.get("/account")
@requires("see")
def show() -> str:
    """Show the account page of the current user."""
    return render_template("account.html", accounts=_load_accounts(), roles=ROLES, user=current_user, owner=OWNER)


@blueprint.post("/account/log-out-everywhere")
@requires("see")
def log_out_everywhere() -> ResponseReturnValue:
    """End every session of this user, including this one."""
    datastore = current_app.extensions["security"].datastore
    datastore.set_uniquifier(current_user._get_current_object())  # noqa: SLF001 - Werkzeug's way to the user itself
    datastore.commit()
    logout_user()
    flash("You are logged out everywhere.", "success")
    return redirect(url_for("security.login"))


@blueprint.post("/accounts/<int:account_id>/invitations")
@requires("manage_members")
def invite(account_id: int) -> ResponseReturnValue:
    """Invite a person to an account."""
    role = next((role for role in ROLES if role == request.form.get("role")), None) or abort(400)
    try:
        email = current_app.extensions["security"].mail_util.validate(request.form.get("email", ""))
    except ValueError:
        flash("That is not a mail address.", "error")
        return redirect(url_for("account.show"))
    context = get_context()
    wanted = InvitationRequest(account_id, email, role, Inviter(get_my_id(), current_user.email))
    link = send_invitation(context.engine, context.settings, wanted, context.now())
    flash(f"{email} was invited." if link else TOO_MANY_INVITATIONS, "info" if link else "error")
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/invitations/<int:invitation_id>/withdraw")
@requires("manage_members")
def withdraw_invitation(account_id: int, invitation_id: int) -> ResponseReturnValue:
    """Revoke an invitation."""
    with writing(get_context().engine) as conn:
        revoke_invitation(conn, account_id, invitation_id)
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/members/<int:user_id>/remove")
@requires("see")
def remove(account_id: int, user_id: int) -> ResponseReturnValue:
    """Remove a member. Owners may remove anyone, readers only themselves."""
    if user_id != get_my_id():
        require(account_id, "manage_members")
    try:
        with writing(get_context().engine) as conn:
            remove_member(conn, account_id, user_id)
    except Misconfigured as error:
        flash(f"{error}".capitalize() + ".", "error")
    return redirect(url_for("account.show"))


def _load_accounts() -> list[AccountView]:
    context, stores = get_context(), list_my_stores()
    with reading(context.engine) as conn:
        return [
            AccountView(
                account_id,
                role,
                [store.shown_name for store in stores if store.account_id == account_id],
                list_members(conn, account_id),
                list_invitations(conn, account_id, context.now()) if role == OWNER else [],
            )
            for account_id, role in get_roles(conn, get_my_id()).items()
        ]
