"""A user's own page: log-in, second factor, and the members of the accounts they are in."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required, current_user, logout_user

from pipeline.core.errors import Misconfigured
from pipeline.ledger.accounts import OWNER, ROLES, Member, Role, get_roles, list_members, remove_member
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import PendingInvitation, list_invitations, revoke_invitation
from receiver.pages.accounts.send_invitation import InvitationRequest, Inviter, send_invitation
from receiver.pages.auth.permissions import get_my_id, list_my_stores, require_owner
from receiver.pages.db_session import get_context

blueprint = Blueprint("account", __name__)

TOO_MANY_INVITATIONS = "Nothing was sent: you have sent too many invitations in the last hour. Please try again later."


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its members see it."""

    id: int
    mine: Role
    stores: list[str]
    members: list[Member]
    invited: list[PendingInvitation]

    def may_go(self, member: Member) -> bool:
        """The last owner may not: nobody could let anybody in again."""
        return [one.user_id for one in self.members if one.role == OWNER] != [member.user_id]


@blueprint.get("/account")
@auth_required("session")
def show() -> str:
    """Everything about whoever is logged in."""
    return render_template("account.html", accounts=_load_accounts(), roles=ROLES, user=current_user, owner=OWNER)


@blueprint.post("/account/log-out-everywhere")
@auth_required("session")
def log_out_everywhere() -> ResponseReturnValue:
    """End every session of this user, this one too."""
    datastore = current_app.extensions["security"].datastore
    datastore.set_uniquifier(current_user._get_current_object())  # noqa: SLF001 - Werkzeug's way to the user itself
    datastore.commit()
    logout_user()
    flash("You are logged out everywhere.", "success")
    return redirect(url_for("security.login"))


@blueprint.post("/accounts/<int:account_id>/invitations")
@auth_required("session")
def invite(account_id: int) -> ResponseReturnValue:
    """Invite somebody into an account."""
    require_owner(account_id)
    role = next((role for role in ROLES if role == request.form.get("role")), None) or abort(400)
    try:
        email = current_app.extensions["security"].mail_util.validate(request.form.get("email", ""))
    except ValueError:
        flash("That is no mail address.", "error")
        return redirect(url_for("account.show"))
    site = get_context()
    wanted = InvitationRequest(account_id, email, role, Inviter(get_my_id(), current_user.email))
    told = send_invitation(site.engine, site.settings, wanted, site.now())
    flash(f"{email} was invited." if told else TOO_MANY_INVITATIONS, "info" if told else "error")
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/invitations/<int:invitation_id>/withdraw")
@auth_required("session")
def withdraw_invitation(account_id: int, invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    require_owner(account_id)
    with writing(get_context().engine) as db:
        revoke_invitation(db, account_id, invitation_id)
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/members/<int:user_id>/remove")
@auth_required("session")
def remove(account_id: int, user_id: int) -> ResponseReturnValue:
    """Take somebody out of an account: an owner anybody, a reader nobody but themselves."""
    if user_id != get_my_id():
        require_owner(account_id)
    try:
        with writing(get_context().engine) as db:
            remove_member(db, account_id, user_id)
    except Misconfigured as error:
        flash(f"{error}".capitalize() + ".", "error")
    return redirect(url_for("account.show"))


def _load_accounts() -> list[AccountView]:
    site, stores = get_context(), list_my_stores()
    with reading(site.engine) as db:
        return [
            AccountView(
                account_id,
                role,
                [store.name for store in stores if store.account_id == account_id],
                list_members(db, account_id),
                list_invitations(db, account_id, site.now()) if role == OWNER else [],
            )
            for account_id, role in get_roles(db, get_my_id()).items()
        ]
