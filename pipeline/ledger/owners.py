"""To whom letters about stores go: owners who have shown that their address is theirs."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pipeline.ledger.accounts import OWNER
from pipeline.ledger.schema.accounts import Membership, User
from pipeline.ledger.schema.core import Store


def list_first_owner_emails(conn: Connection) -> list[str]:
    """The addresses of the owners of the account that has had a store for longest: they made this installation."""
    stores = conn.execute(select(Store.account_id).distinct().order_by(Store.account_id)).scalars()
    return next((found for account_id in stores.all() if (found := list_owner_emails(conn, account_id))), [])


def list_owner_emails(conn: Connection, account_id: int | None) -> list[str]:
    """The addresses of an account's owners; None: of the owners of all accounts that have a store."""
    query = (
        select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.role == OWNER, User.confirmed_at.is_not(None), User.active.is_(True))
    )
    accounts = select(Store.account_id)
    if account_id is not None:
        accounts = accounts.where(Store.account_id == account_id)
    mine = Membership.account_id.in_(accounts)
    return list(conn.execute(query.where(mine).distinct().order_by(User.email)).scalars())
