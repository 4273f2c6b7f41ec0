"""Writes invitations, for the pages and for the command line; knows no web framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itsdangerous import URLSafeSerializer
from sqlalchemy import Connection, Engine

from pipeline.ledger.accounts import Role
from pipeline.ledger.engine import writing
from pipeline.ledger.invitations import create_invitation, find_invitation
from pipeline.mail.outbox import MailRequest, enqueue_mail, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from pipeline.settings import Settings
from receiver.pages.auth.keys import derive_keys

_INVITATION_TEXT = """{inviter} invites you to {what} in Cratewire, as {role}. This link lets you in:

{link}

It is good for a week, and for this address only. If you do not know what this is about, do nothing.
"""
OPERATOR_NAME = "The operator of this Cratewire"


@dataclass(frozen=True, slots=True)
class Inviter:
    """The owner who invites on the pages."""

    user_id: int
    email: str


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """Who is to be invited into which account. `by`: None for the operator, whose letters are not limited."""

    account_id: int
    email: str
    role: Role
    by: Inviter | None = None


def send_invitation(engine: Engine, settings: Settings, wanted: InvitationRequest, now: int) -> str | None:
    """Invite an address; the link that was mailed. None: too many were sent by the inviter, and nothing was done."""
    by = wanted.by
    with writing(engine) as db:
        invitation_id = create_invitation(
            db, wanted.account_id, wanted.email, wanted.role, now, invited_by=by.user_id if by else None
        )
        link = f"{settings.public_url}/invitations/{build_serializer(settings.secret_keys).dumps(invitation_id)}"
        invited = find_invitation(db, invitation_id, now)
        what = describe_stores(invited.stores if invited else ())
        text = _INVITATION_TEXT.format(
            inviter=by.email if by else OPERATOR_NAME, what=what, role=wanted.role, link=link
        )
        if _queue_mail(db, settings, MailMessage(wanted.email, f"You are invited to {what}", text), by, now):
            return link
        db.rollback()
    return None


def describe_stores(stores: Sequence[str]) -> str:
    """What an invitation is to: `look after the stores acme and other`."""
    if not stores:
        return "look after Cratejoy stores"
    *most, last = stores
    return f"look after the {'stores ' + ', '.join(most) + ' and ' if most else 'store '}{last}"


def _queue_mail(db: Connection, settings: Settings, letter: MailMessage, by: Inviter | None, now: int) -> bool:
    if by is not None:
        return enqueue_mail_if_allowed(
            db, settings.secret_keys, letter, MailRequest("invitation", f"user {by.user_id}"), now
        )
    enqueue_mail(db, settings.secret_keys, letter, now)
    return True


def build_serializer(secret_keys: Sequence[str]) -> URLSafeSerializer:
    """Signs the number of an invitation; itsdangerous does so with the last key."""
    return URLSafeSerializer(derive_keys(secret_keys, "invitations")[::-1], salt="invitation")
