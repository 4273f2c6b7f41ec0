"""Writes invitations, for the pages and for the command line; knows no web framework."""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import URLSafeSerializer
from sqlalchemy import Engine

from pipeline.ledger.accounts import Role
from pipeline.ledger.engine import writing
from pipeline.ledger.invitations import invite
from pipeline.mail import Letter
from pipeline.mailing import write
from pipeline.settings import Settings
from receiver.pages.keys import derived

_TEXT = """You have been invited to look after a Cratejoy store in Cratewire, as {role}. This link lets you in:

{link}

It is good for a week, and for this address only. If you do not know what this is about, do nothing.
"""


def send_invitation(
    engine: Engine, settings: Settings, account_id: int, email: str, role: Role, now: int
) -> str | None:
    """Invite an address; the link that was mailed. None: it has had too many mails of late, and nothing was done."""
    with writing(engine) as db:
        token = serializer(settings.secret_keys).dumps(invite(db, account_id, email, role, now))
        link = f"{settings.public_url}/invitations/{token}"
        letter = Letter(email, "You are invited to Cratewire", _TEXT.format(role=role, link=link))
        if write(db, settings.secret_keys, letter, now):
            return link
        db.rollback()
    return None


def serializer(secret_keys: Sequence[str]) -> URLSafeSerializer:
    """Signs the number of an invitation; itsdangerous does so with the last key."""
    return URLSafeSerializer(derived(secret_keys, "invitations")[::-1], salt="invitation")
