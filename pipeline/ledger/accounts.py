"""Accounts, their users and what these may see. An account's stores are visible to its members only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import ColumnElement, Connection, delete, func, null, select, update

from pipeline.core.errors import Misconfigured
from pipeline.core.roles import OWNER, Permission, Role, is_allowed
from pipeline.ledger.removals import delete_empty_account
from pipeline.ledger.schema.accounts import FailedLogIn, Invitation, LogIn, Mail, Membership, User
from pipeline.ledger.schema.api_tokens import ApiToken
from pipeline.ledger.schema.core import Account, Store
from pipeline.ledger.schema.own_pages import SavedView
from pipeline.ledger.sql.tables import insert_into
from pipeline.ledger.stores import ensure_account


class LastOwner(Misconfigured):
    """A user is the last owner of an account that has stores, and cannot be removed."""

    def __init__(self, account: str, stores: list[str]) -> None:
        super().__init__(f"the last owner of account {account}, which has {', '.join(stores)}, cannot be removed")
        self.account = account
        self.stores = stores


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to add. `uniquifier` goes into their sessions and links."""

    email: str
    password_hash: str = field(repr=False)
    uniquifier: str = field(repr=False)
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an account, for lists."""

    user_id: int
    email: str
    role: Role
    since: int


@dataclass(frozen=True, slots=True)
class VisibleStore:
    """A store that a user may see, and in which role."""

    store_id: int
    name: str
    account_id: int
    role: Role
    title: str | None = None

    @property
    def shown_name(self) -> str:
        """What people see: the title, or else the name."""
        return self.title or self.name

    def allows(self, permission: Permission) -> bool:
        """Whether the user's role allows this."""
        return is_allowed(self.role, permission)


def create_account(conn: Connection, now: int) -> int:
    """Create an account for a user who registered on the pages. Its random name says nothing about them."""
    return ensure_account(conn, f"web-{secrets.token_hex(8)}", now)


def find_account(conn: Connection, name: str) -> int | None:
    """The id of the account with this name; the command line's account is called `default`."""
    return conn.execute(select(Account.id).where(Account.name == name)).scalar()


def get_account_name(conn: Connection, account_id: int) -> str:
    """The name of the account, under which stores are saved."""
    return conn.execute(select(Account.name).where(Account.id == account_id)).scalar_one()


def add_user(conn: Connection, new_user: NewUser, now: int) -> int | None:
    """Add a user and return their id; None if the address is taken."""
    statement = insert_into(conn, User).values(
        email=new_user.email.lower(),
        password=new_user.password_hash,
        active=True,
        fs_uniquifier=new_user.uniquifier,
        confirmed_at=now if new_user.confirmed else None,
        failures=0,
        locked_until=0,
        created_at=now,
    )
    return conn.execute(statement.on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)).scalar()


def claim_unconfirmed_user(conn: Connection, new_user: NewUser, now: int) -> int | None:
    """Give an unconfirmed address to the reader of its mail; None if it is confirmed, or new.

    Another person may have registered the address, and knows the password it has had until now.
    """
    statement = update(User).where(User.email == new_user.email.lower(), User.confirmed_at.is_(None))
    values = {"password": new_user.password_hash, "fs_uniquifier": new_user.uniquifier, "confirmed_at": now}
    values |= {"failures": 0, "locked_until": 0}
    return conn.execute(statement.values(values).returning(User.id)).scalar()


def is_confirmed(conn: Connection, email: str) -> bool:
    """Whether a user has this address and has confirmed it."""
    return (
        conn.execute(select(User.id).where(User.email == email.lower(), User.confirmed_at.is_not(None))).scalar()
        is not None
    )


def find_user(conn: Connection, email: str) -> int | None:
    """The id of the user with this address."""
    return conn.execute(select(User.id).where(User.email == email.lower())).scalar()


def is_current_uniquifier(conn: Connection, uniquifier: str) -> bool:
    """Whether it is a user's present one: a user who ends all sessions gets another."""
    return conn.execute(select(User.id).where(User.fs_uniquifier == uniquifier)).scalar() is not None


def add_member(conn: Connection, account_id: int, user_id: int, role: Role, now: int) -> None:
    """Add a user to an account, or change their role there."""
    statement = insert_into(conn, Membership).values(account_id=account_id, user_id=user_id, role=role, since=now)
    conn.execute(statement.on_conflict_do_update(index_elements=["account_id", "user_id"], set_={"role": role}))


def remove_member(conn: Connection, account_id: int, user_id: int) -> bool:
    """Remove a user from an account; False if they are no member.

    Raise Misconfigured for the last owner: no one could add members again.
    """
    conn.execute(update(Account).where(Account.id == account_id).values(name=Account.name))  # one removal at a time
    owners = {member.user_id for member in list_members(conn, account_id) if member.role == OWNER}
    if owners == {user_id}:
        raise Misconfigured("an account keeps at least one owner")
    member = Membership.account_id == account_id, Membership.user_id == user_id
    return bool(conn.execute(delete(Membership).where(*member)).rowcount)


def remove_user(conn: Connection, email: str) -> bool:
    """Delete a user with memberships, log-ins, invitations, tokens and mails, and accounts that are empty then.

    False if there is no such address. Raise LastOwner while they are the last owner of an account with stores.
    """
    user_id = find_user(conn, email)
    if user_id is None:
        return False
    account_ids = list(get_roles(conn, user_id))
    for account_id in account_ids:
        _require_other_owner(conn, account_id, user_id)
    for table in (Membership, LogIn, FailedLogIn, SavedView):
        conn.execute(delete(table).where(table.user_id == user_id))
    conn.execute(delete(Invitation).where(Invitation.email == email.lower()))
    conn.execute(update(Invitation).where(Invitation.invited_by == user_id).values(invited_by=None))
    conn.execute(delete(ApiToken).where(ApiToken.created_by == user_id))
    conn.execute(delete(Mail).where(func.lower(Mail.recipient) == email.lower()))
    conn.execute(delete(User).where(User.id == user_id))
    for account_id in account_ids:
        delete_empty_account(conn, account_id)
    return True


def _require_other_owner(conn: Connection, account_id: int, user_id: int) -> None:
    """Raise LastOwner if an account with stores has no other owner."""
    conn.execute(update(Account).where(Account.id == account_id).values(name=Account.name))  # as in remove_member
    owners = {member.user_id for member in list_members(conn, account_id) if member.role == OWNER}
    query = select(Store.name).where(Store.account_id == account_id).order_by(Store.name)
    stores = list(conn.execute(query).scalars()) if owners == {user_id} else []
    if stores:
        raise LastOwner(get_account_name(conn, account_id), stores)


def list_accounts(conn: Connection) -> list[tuple[int, str]]:
    """The id and name of every account, oldest first."""
    return [(row.id, row.name) for row in conn.execute(select(Account.id, Account.name).order_by(Account.id))]


def reset_second_factor(conn: Connection, email: str) -> bool:
    """Let a user who has lost the second factor log in by password alone; False if there is no such address."""
    off = {"tf_primary_method": None, "tf_totp_secret": None, "tf_counter": None, "mf_recovery_codes": null()}
    changed = update(User).where(User.email == email.lower()).values(off).returning(User.id)
    return conn.execute(changed).scalar() is not None


def change_role(conn: Connection, account_id: int, user_id: int, role: Role) -> bool:
    """Change a member's role; False if they are no member. Raise Misconfigured for the last owner, as for a removal."""
    conn.execute(update(Account).where(Account.id == account_id).values(name=Account.name))  # as in remove_member
    owners = {member.user_id for member in list_members(conn, account_id) if member.role == OWNER}
    if owners == {user_id} and role != OWNER:
        raise Misconfigured("an account keeps at least one owner")
    member = Membership.account_id == account_id, Membership.user_id == user_id
    return bool(conn.execute(update(Membership).where(*member).values(role=role)).rowcount)


def list_members(conn: Connection, account_id: int) -> list[Member]:
    """The members of an account, by address."""
    query = (
        select(User.id.label("user_id"), User.email, Membership.role, Membership.since)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.account_id == account_id)
        .order_by(User.email)
    )
    return [Member(**row._asdict()) for row in conn.execute(query)]


def get_roles(conn: Connection, user_id: int) -> dict[int, Role]:
    """Account id -> the user's role there; the oldest account first."""
    query = select(Membership.account_id, Membership.role).where(Membership.user_id == user_id)
    rows = conn.execute(query.order_by(Membership.account_id))
    return {row.account_id: cast("Role", row.role) for row in rows}


def list_visible_stores(conn: Connection, user_id: int) -> list[VisibleStore]:
    """The stores of all accounts of a user, by name. Pages treat any other store as one that does not exist."""
    return _select_visible_stores(conn, user_id)


def find_visible_store(conn: Connection, user_id: int, name: str) -> VisibleStore | None:
    """The store of this name, if it is in an account of the user."""
    return next(iter(_select_visible_stores(conn, user_id, Store.name == name)), None)


def list_first_owner_emails(conn: Connection) -> list[str]:
    """The confirmed addresses of the owners of the account that has had a store for longest: the installers."""
    stores = conn.execute(select(Store.account_id).distinct().order_by(Store.account_id)).scalars()
    return next((found for account_id in stores.all() if (found := list_owner_emails(conn, account_id))), [])


def list_owner_emails(conn: Connection, account_id: int | None) -> list[str]:
    """The confirmed addresses of an account's owners; None: of the owners of all accounts that have a store."""
    query = (
        select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.role == OWNER, User.confirmed_at.is_not(None), User.active.is_(True))
    )
    accounts = select(Store.account_id)
    if account_id is not None:
        accounts = accounts.where(Store.account_id == account_id)
    query = query.where(Membership.account_id.in_(accounts))
    return list(conn.execute(query.distinct().order_by(User.email)).scalars())


def _select_visible_stores(conn: Connection, user_id: int, *conditions: ColumnElement[bool]) -> list[VisibleStore]:
    query = (
        select(Store.id.label("store_id"), Store.name, Store.account_id, Membership.role, Store.title)
        .join(Membership, Membership.account_id == Store.account_id)
        .where(Membership.user_id == user_id, *conditions)
        .order_by(Store.name)
    )
    return [VisibleStore(**row._asdict()) for row in conn.execute(query)]
