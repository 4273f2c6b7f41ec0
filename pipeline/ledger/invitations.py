"""Invitations to join an account: each is for one address, valid for some days, and used once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from pipeline.core.roles import Role
from pipeline.ledger.schema.accounts import Invitation, User
from pipeline.ledger.schema.core import Store

INVITATION_TTL_US = 7 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class PendingInvitation:
    """An invitation that can still be used."""

    id: int
    account_id: int
    email: str
    role: Role
    expires_at: int
    invited_by: str | None  # an address; None: the operator, on the command line
    stores: tuple[str, ...]  # the titles of the account's stores, or else their names


def create_invitation(
    conn: Connection, account_id: int, email: str, role: Role, now: int, *, invited_by: int | None = None
) -> int:
    """Create an invitation and return its id; replaces an unused one for the same address and account."""
    same = Invitation.account_id == account_id, Invitation.email == email.lower(), Invitation.used_at.is_(None)
    conn.execute(delete(Invitation).where(*same))
    statement = insert(Invitation).values(
        account_id=account_id,
        email=email.lower(),
        role=role,
        invited_by=invited_by,
        created_at=now,
        expires_at=now + INVITATION_TTL_US,
    )
    return conn.execute(statement.returning(Invitation.id)).scalar_one()


def find_invitation(conn: Connection, invitation_id: int, now: int) -> PendingInvitation | None:
    """The invitation; None if it was used, has expired or does not exist."""
    return next(iter(_select_pending(conn, now, Invitation.id == invitation_id)), None)


def list_invitations(conn: Connection, account_id: int, now: int) -> list[PendingInvitation]:
    """The pending invitations of an account."""
    return _select_pending(conn, now, Invitation.account_id == account_id)


def use_invitation(conn: Connection, invitation_id: int, now: int) -> bool:
    """Mark an invitation as used; False if it was used before or has expired."""
    usable = Invitation.id == invitation_id, Invitation.used_at.is_(None), Invitation.expires_at > now
    return bool(conn.execute(update(Invitation).where(*usable).values(used_at=now)).rowcount)


def revoke_invitation(conn: Connection, account_id: int, invitation_id: int) -> bool:
    """Delete an invitation; False if the account has none with this id."""
    mine = Invitation.id == invitation_id, Invitation.account_id == account_id
    return bool(conn.execute(delete(Invitation).where(*mine)).rowcount)


def _select_pending(conn: Connection, now: int, condition: object) -> list[PendingInvitation]:
    columns = Invitation.id, Invitation.account_id, Invitation.email, Invitation.role, Invitation.expires_at
    query = select(*columns, User.email.label("invited_by")).outerjoin(User, User.id == Invitation.invited_by)
    usable = query.where(condition, Invitation.used_at.is_(None), Invitation.expires_at > now)  # type: ignore[arg-type]
    found = conn.execute(usable.order_by(Invitation.email)).all()
    stores = {account_id: _list_store_names(conn, account_id) for account_id in {row.account_id for row in found}}
    return [PendingInvitation(**row._asdict(), stores=stores[row.account_id]) for row in found]


def _list_store_names(conn: Connection, account_id: int) -> tuple[str, ...]:
    shown = func.coalesce(Store.title, Store.name)
    named = select(shown).where(Store.account_id == account_id).order_by(Store.name)
    return tuple(conn.execute(named).scalars())
