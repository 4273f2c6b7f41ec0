"""Invitations into an account: made for an address, good for some days, used once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.ledger.account_tables import Invitation
from pipeline.ledger.accounts import Role

GOOD_FOR_US = 7 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that can still be used."""

    id: int
    account_id: int
    email: str
    role: Role
    expires_at: int


def invite(db: Connection, account_id: int, email: str, role: Role, now: int) -> int:
    """The id of the new invitation; an earlier one of the same address to the same account ends."""
    same = Invitation.account_id == account_id, Invitation.email == email.lower(), Invitation.used_at.is_(None)
    db.execute(delete(Invitation).where(*same))
    made = insert(Invitation).values(
        account_id=account_id, email=email.lower(), role=role, created_at=now, expires_at=now + GOOD_FOR_US
    )
    return db.execute(made.returning(Invitation.id)).scalar_one()


def find_invitation(db: Connection, invitation_id: int, now: int) -> Invited | None:
    """The invitation, if it is neither used nor too old."""
    return next(iter(_open(db, now, Invitation.id == invitation_id)), None)


def invitations_to(db: Connection, account_id: int, now: int) -> list[Invited]:
    """Who has been invited into an account and has not come yet."""
    return _open(db, now, Invitation.account_id == account_id)


def use_invitation(db: Connection, invitation_id: int, now: int) -> bool:
    """False if somebody used it before, or it is too old."""
    usable = Invitation.id == invitation_id, Invitation.used_at.is_(None), Invitation.expires_at > now
    return bool(db.execute(update(Invitation).where(*usable).values(used_at=now)).rowcount)


def withdraw(db: Connection, account_id: int, invitation_id: int) -> None:
    """Take an invitation back."""
    db.execute(delete(Invitation).where(Invitation.id == invitation_id, Invitation.account_id == account_id))


def _open(db: Connection, now: int, condition: object) -> list[Invited]:
    query = select(Invitation.id, Invitation.account_id, Invitation.email, Invitation.role, Invitation.expires_at)
    usable = query.where(condition, Invitation.used_at.is_(None), Invitation.expires_at > now)  # type: ignore[arg-type]
    return [Invited(**row._asdict()) for row in db.execute(usable.order_by(Invitation.email))]
