"""The user's account page: log-in, second factor, members and roles of their accounts, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, logout_user
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import OWNER, ROLE_TEXTS, ROLES, Permission, Role, is_allowed
from pipeline.ledger.accounts import Member, change_role, get_roles, list_members, remove_member
from pipeline.ledger.audit import About, record_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import PendingInvitation, list_invitations, revoke_invitation
from pipeline.ledger.queries.audit import list_actions
from receiver.pages.accounts.send_invitation import InvitationRequest, Inviter, send_invitation
from receiver.pages.addresses import read_id
from receiver.pages.auth.permissions import get_actor, get_my_id, list_my_stores, require, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("account", __name__)

LOG_PAGE_SIZE = 50
TOO_MANY_INVITATIONS = "Nothing was sent: you have sent too many invitations in the last hour. Please try again later."


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its members see it."""

    id: int
    my_role: Role
    stores: list[str]
    members: list[Member]
    invited: list[PendingInvitation]

    @property
    def title(self) -> str:
        """What the account is called on pages."""
        return ", ".join(self.stores) or "No shop yet"

    def allows(self, permission: Permission) -> bool:
        """Return whether the user's role allows this."""
        return is_allowed(self.my_role, permission)

    def can_leave(self, member: Member) -> bool:
        """Return whether the member can be removed. The last owner cannot: no one else could invite members."""
        return [owner.user_id for owner in self.members if owner.role == OWNER] != [member.user_id]


@blueprint.get("/account")
@requires("see")
def show() -> str:
    """Show the account page of the current user."""
    return render_template("account.html", accounts=_load_accounts(), roles=ROLE_TEXTS, user=current_user)


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
    role = _read_role()
    try:
        email = current_app.extensions["security"].mail_util.validate(request.form.get("email", ""))
    except ValueError:
        flash("That is not a mail address.", "error")
        return redirect(url_for("account.show"))
    context = get_context()
    wanted = InvitationRequest(account_id, email, role, Inviter(get_my_id(), current_user.email))
    link = send_invitation(context.engine, context.settings, wanted, context.now())
    flash(f"{email} was invited." if link else TOO_MANY_INVITATIONS, "success" if link else "error")
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/invitations/<int:invitation_id>/withdraw")
@requires("manage_members")
def withdraw_invitation(account_id: int, invitation_id: int) -> ResponseReturnValue:
    """Revoke an invitation."""
    with writing(get_context().engine) as conn:
        if revoke_invitation(conn, account_id, invitation_id):
            _record(conn, account_id, "account.invitation_withdrawn", {"invitation": invitation_id})
    flash("The invitation is withdrawn.", "success")
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/members/<int:user_id>/remove")
@requires("see")
def remove(account_id: int, user_id: int) -> ResponseReturnValue:
    """Remove a member. Owners may remove anyone, readers only themselves."""
    if user_id != get_my_id():
        require(account_id, "manage_members")
    try:
        with writing(get_context().engine) as conn:
            if remove_member(conn, account_id, user_id):
                _record(conn, account_id, "account.member_removed", {"user": user_id})
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
    else:
        flash("You have left the account." if user_id == get_my_id() else "The member is removed.", "success")
    return redirect(url_for("account.show"))


@blueprint.post("/accounts/<int:account_id>/members/<int:user_id>/role")
@requires("manage_members")
def set_role(account_id: int, user_id: int) -> ResponseReturnValue:
    """Change a member's role."""
    role = _read_role()
    try:
        with writing(get_context().engine) as conn:
            before = next((one.role for one in list_members(conn, account_id) if one.user_id == user_id), None)
            if not change_role(conn, account_id, user_id, role):
                abort(404)
            if role != before:
                _record(conn, account_id, "account.role_changed", {"user": user_id, "role": role})
    except Misconfigured as error:
        flash(f"Nothing was changed. {sentence(str(error))}", "error")
    else:
        flash(f"The member is {'an' if role[0] in 'aeiou' else 'a'} {role} now.", "success")
    return redirect(url_for("account.show"))


@blueprint.get("/accounts/<int:account_id>/log")
@requires("see_audit_log")
def log(account_id: int) -> str:
    """Show who did what, newest first, a page at a time."""
    before = read_id(request.args.get("before"))
    with reading(get_context().engine) as conn:
        rows = list_actions(conn, [account_id], before=before, limit=LOG_PAGE_SIZE + 1)
    older = rows[LOG_PAGE_SIZE - 1].id if len(rows) > LOG_PAGE_SIZE else None
    account = next(account for account in _load_accounts() if account.id == account_id)
    return render_template("audit_log.html", account=account, rows=rows[:LOG_PAGE_SIZE], older=older)


def _read_role() -> Role:
    return next((role for role in ROLES if role == request.form.get("role")), None) or abort(400)


def _record(conn: Connection, account_id: int, action: str, about: About) -> None:
    at = get_context().now()
    record_action(conn, account_id=account_id, actor=get_actor(), action=action, about=about, at=at)


def _load_accounts() -> list[AccountView]:
    context, stores = get_context(), list_my_stores()
    with reading(context.engine) as conn:
        return [
            AccountView(
                account_id,
                role,
                [store.shown_name for store in stores if store.account_id == account_id],
                list_members(conn, account_id),
                list_invitations(conn, account_id, context.now()) if is_allowed(role, "manage_members") else [],
            )
            for account_id, role in get_roles(conn, get_my_id()).items()
        ]
