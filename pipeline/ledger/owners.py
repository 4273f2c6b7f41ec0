"""To whom letters about stores go: owners who have shown that their address is theirs."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pipeline.ledger.account_tables import Membership, User
from pipeline.ledger.accounts import OWNER
from pipeline.ledger.tables import Store


def first_owners(db: Connection) -> list[str]:
    """The addresses of the owners of the account that has had a store for longest: they made this installation."""
    stores = db.execute(select(Store.account_id).distinct().order_by(Store.account_id)).scalars()
    return next((found for account_id in stores.all() if (found := owners_of(db, account_id))), [])


def owners_of(db: Connection, account_id: int | None) -> list[str]:
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
    return list(db.execute(query.where(mine).distinct().order_by(User.email)).scalars())
