"""Creates invitations and their mails, for the pages and the command line. Imports no web framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itsdangerous import URLSafeSerializer
from sqlalchemy import Connection, Engine

from pipeline.core.roles import Role
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_action
from pipeline.ledger.engine import writing
from pipeline.ledger.invitations import create_invitation, find_invitation
from pipeline.mail.outbox import MailRequest, enqueue_mail, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from pipeline.settings import Settings
from receiver.pages.auth.keys import derive_keys

_INVITATION_TEXT = """{inviter} invites you to {what} in Cratewire, as {role}. Follow this link to accept:

{link}

The link is valid for a week, and for this address only. If you did not expect this invitation, ignore this mail.
"""
OPERATOR_NAME = "The operator of this Cratewire"


@dataclass(frozen=True, slots=True)
class Inviter:
    """The owner who sends an invitation on the pages."""

    user_id: int
    email: str


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """Who is invited to which account. `inviter`: None for the operator, whose mails are not limited."""

    account_id: int
    email: str
    role: Role
    inviter: Inviter | None = None


def send_invitation(engine: Engine, settings: Settings, request: InvitationRequest, now: int) -> str | None:
    """Invite an address. Returns the link that is mailed; None if the inviter sent too many, and nothing was done."""
    inviter = request.inviter
    with writing(engine) as conn:
        invitation_id = create_invitation(
            conn, request.account_id, request.email, request.role, now, invited_by=inviter.user_id if inviter else None
        )
        link = f"{settings.public_url}/invitations/{build_serializer(settings.secret_keys).dumps(invitation_id)}"
        actor = Actor("page", inviter.user_id) if inviter else COMMAND_LINE_ACTOR
        about = {"invitation": invitation_id, "role": request.role}
        record_action(conn, account_id=request.account_id, actor=actor, action="account.invited", about=about, at=now)
        invitation = find_invitation(conn, invitation_id, now)
        what = describe_stores(invitation.stores if invitation else ())
        text = _INVITATION_TEXT.format(
            inviter=inviter.email if inviter else OPERATOR_NAME, what=what, role=request.role, link=link
        )
        if _queue_mail(conn, settings, MailMessage(request.email, f"You are invited to {what}", text), inviter, now):
            return link
        conn.rollback()
    return None


def describe_stores(stores: Sequence[str]) -> str:
    """Describe what the invitation is for: `look after the stores acme and other`."""
    if not stores:
        return "look after Cratejoy stores"
    *most, last = stores
    return f"look after the {'stores ' + ', '.join(most) + ' and ' if most else 'store '}{last}"


def _queue_mail(conn: Connection, settings: Settings, mail: MailMessage, inviter: Inviter | None, now: int) -> bool:
    if inviter is not None:
        return enqueue_mail_if_allowed(
            conn, settings.secret_keys, mail, MailRequest("invitation", f"user {inviter.user_id}"), now
        )
    enqueue_mail(conn, settings.secret_keys, mail, now)
    return True


def build_serializer(secret_keys: Sequence[str]) -> URLSafeSerializer:
    """Build the serializer that signs invitation ids; itsdangerous signs with the last key."""
    return URLSafeSerializer(derive_keys(secret_keys, "invitations")[::-1], salt="invitation")
